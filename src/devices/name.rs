//! Devices by name.

#[cfg(target_os = "linux")]
use weft_host::device::pcie;

/// A device by name, as `--device` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// This machine's processor.
    Cpu,
    /// The core's Verilog in the simulator.
    Sim,
    /// A board on a serial line.
    Serial {
        /// The port.
        path: String,
        /// Bits a second; found out when absent.
        baud: Option<u32>,
    },
    /// A card in a slot.
    #[cfg(target_os = "linux")]
    Pcie {
        /// Its PCI address.
        address: String,
        /// That of the NVMe drive that delivers into it.
        drive: Option<String>,
    },
    /// A card behind a vfio-user socket.
    #[cfg(target_os = "linux")]
    VfioUser(std::path::PathBuf),
}

impl DeviceName {
    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "sim" => Ok(Self::Sim),
            Some(("serial", port)) => parse_port(port),
            #[cfg(target_os = "linux")]
            Some(("pcie", card)) => parse_card(card),
            #[cfg(target_os = "linux")]
            Some(("vfio-user", path)) if !path.is_empty() => Ok(Self::VfioUser(path.into())),
            _ => Err(
                "devices are cpu, sim, serial:PATH[@BAUD], pcie:ADDRESS[@DRIVE] and vfio-user:SOCKET"
                    .into(),
            ),
        }
    }
}

/// The port of a board, with its rate behind an `@`.
fn parse_port(text: &str) -> Result<DeviceName, String> {
    let (path, baud) = match text.rsplit_once('@') {
        None => (text, None),
        Some((path, digits)) => match digits.parse::<u32>() {
            Ok(baud) if baud > 0 => (path, Some(baud)),
            _ => return Err(format!("{digits:?} is not a rate in bits a second")),
        },
    };
    if path.is_empty() {
        return Err("serial: needs a port, as in serial:/dev/ttyUSB0@3000000".into());
    }
    let path = path.into();
    Ok(DeviceName::Serial { path, baud })
}

/// A card's address, with that of a drive behind an `@`.
#[cfg(target_os = "linux")]
fn parse_card(text: &str) -> Result<DeviceName, String> {
    let (card, drive) = match text.split_once('@') {
        None => (text, None),
        Some((card, drive)) => (card, Some(pcie::parse_address(drive)?)),
    };
    let address = pcie::parse_address(card)?;
    Ok(DeviceName::Pcie { address, drive })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_with_port_and_rate() {
        let serial = |path: &str, baud| DeviceName::Serial {
            path: path.into(),
            baud,
        };
        let parse = DeviceName::parse;
        assert_eq!(parse("sim"), Ok(DeviceName::Sim));
        assert_eq!(parse("serial:/dev/pts/3"), Ok(serial("/dev/pts/3", None)));
        assert_eq!(
            parse("serial:COM3@115200"),
            Ok(serial("COM3", Some(115_200)))
        );
        for wrong in [
            "gpu",
            "serial:",
            "serial:@9600",
            "serial:/dev/x@",
            "serial:/dev/x@0",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn cards_are_named_with_address_and_drive() {
        let card = |drive: Option<&str>| DeviceName::Pcie {
            address: "0000:03:00.0".into(),
            drive: drive.map(String::from),
        };
        let parse = DeviceName::parse;
        assert_eq!(parse("pcie:03:00.0"), Ok(card(None)));
        assert_eq!(
            parse("pcie:0000:03:00.0@04:00.0"),
            Ok(card(Some("0000:04:00.0")))
        );
        for wrong in [
            "pcie:",
            "pcie:03:00.0@",
            "pcie:@03:00.0",
            "pcie:03:00.0@disk",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

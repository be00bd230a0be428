//! The serial ports of this machine.

use serialport::SerialPortType;

/// A port that a board may be on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortInfo {
    /// What to open.
    pub path: String,
    /// What the system knows about it.
    pub what: String,
    /// Whether this user may open it.
    pub allowed: bool,
}

/// Every serial port that the system lists; empty where it does not say.
#[must_use]
pub fn ports() -> Vec<PortInfo> {
    let found = serialport::available_ports().unwrap_or_default();
    let mut ports: Vec<_> = found
        .into_iter()
        .map(|port| PortInfo {
            allowed: allowed(&port.port_name),
            what: match port.port_type {
                SerialPortType::UsbPort(usb) => {
                    let product = usb.product.unwrap_or_else(|| "USB".into());
                    format!("{product} ({:04x}:{:04x})", usb.vid, usb.pid)
                }
                SerialPortType::BluetoothPort => "Bluetooth".into(),
                SerialPortType::PciPort => "on board".into(),
                SerialPortType::Unknown => "unknown".into(),
            },
            path: port.port_name,
        })
        .collect();
    ports.sort_by(|a, b| a.path.cmp(&b.path));
    ports
}

#[cfg(unix)]
fn allowed(path: &str) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK | Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn allowed(_: &str) -> bool {
    true
}

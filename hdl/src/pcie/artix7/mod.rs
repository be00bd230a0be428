//! The card on the integrated block of Artix-7, PCIE_2_1, as one Gen2 lane: the shim, the hard block with its settings,
//! and its packet memories. `README.md` says what is missing on a board.

mod idle;
pub mod shim;

use super::{CARD_TOP, CardConfig, generate_card};
use crate::core::Error;
use crate::rtl::*;
use idle::{HIGH, LOW};
use shim::Shim;
use weft_protocol::pcie::{BAR0_BYTES, CLASS, DEVICE, MSIX_PENDING, MSIX_TABLE, VECTORS, VENDOR};

/// Name of the top module.
pub const ARTIX7_TOP: &str = "weft_pcie_artix7";
/// Name of the shim's module.
const SHIM: &str = "weft_pcie_artix7_shim";

/// The Verilog of a card on Artix-7, top module [`ARTIX7_TOP`]: clocks, resets and the first lane of the PIPE interface
/// on the outside.
///
/// # Errors
/// [`Error::Parameter`] for a configuration that cannot be built.
pub fn generate_artix7(config: &CardConfig) -> Result<String, Error> {
    let card = generate_card(config)?;
    let mut shim = Shim::default();
    shim.clock.connect();
    shim.trn_rd.connect();
    for pin in [
        &mut shim.trn_rsrc_rdy,
        &mut shim.trn_reof,
        &mut shim.trn_rrem,
        &mut shim.trn_rerrfwd,
        &mut shim.trn_tdst_rdy,
        &mut shim.trn_lnk_up,
        &mut shim.user_rst_n,
        &mut shim.received_reset_n,
        &mut shim.cfg_msg_received,
        &mut shim.rx_ready,
        &mut shim.rx_read_ok,
        &mut shim.tx_valid,
        &mut shim.tx_last,
        &mut shim.tx_keep,
    ] {
        pin.connect();
    }
    shim.trn_rbar_hit.connect();
    shim.trn_fc_ph.connect();
    shim.trn_fc_pd.connect();
    shim.trn_fc_nph.connect();
    shim.trn_fc_cplh.connect();
    shim.trn_fc_cpld.connect();
    shim.cfg_msg_data.connect();
    shim.tx_data.connect();
    shim.connect_all();
    check_connected(&shim).map_err(|cause| Error::Description {
        config: config.core,
        cause: format!("{cause:?}"),
    })?;
    let mut modules = ModuleDefines::default();
    shim.accept(SHIM, &mut modules);
    Ok(format!("{card}\n{}\n{}", modules.defines(), top(config)))
}

/// Settings of the hard block. What is not here keeps the primitive's default.
fn settings(config: &CardConfig) -> Vec<(&'static str, String)> {
    let text = |s: &str| format!("\"{s}\"");
    let bar = |bytes: u64, low: u64| ((!(bytes - 1)) | low) as u32;
    let window = 1_u64 << config.log2_window;
    vec![
        ("BAR0", format!("32'h{:08x}", bar(BAR0_BYTES as u64, 0))),
        ("BAR1", "32'h00000000".into()),
        // 64-bit, prefetchable; BAR3 is its upper half.
        ("BAR2", format!("32'h{:08x}", bar(window, 0xc))),
        ("BAR3", "32'hffffffff".into()),
        ("CLASS_CODE", format!("24'h{CLASS:06x}")),
        ("CMD_INTX_IMPLEMENTED", text("FALSE")),
        ("DEV_CAP_EXT_TAG_SUPPORTED", text("FALSE")),
        ("DEV_CAP_FUNCTION_LEVEL_RESET_CAPABLE", text("TRUE")),
        ("DEV_CAP_MAX_PAYLOAD_SUPPORTED", "2".into()),
        ("INTERRUPT_PIN", "8'h00".into()),
        ("LINK_CAP_MAX_LINK_SPEED", "4'h2".into()),
        ("LINK_CAP_MAX_LINK_WIDTH", "6'h01".into()),
        ("LTSSM_MAX_LINK_WIDTH", "6'h01".into()),
        ("MSIX_CAP_ON", text("TRUE")),
        ("MSIX_CAP_TABLE_BIR", "0".into()),
        (
            "MSIX_CAP_TABLE_OFFSET",
            format!("29'h{:08x}", MSIX_TABLE / 8),
        ),
        ("MSIX_CAP_PBA_BIR", "0".into()),
        (
            "MSIX_CAP_PBA_OFFSET",
            format!("29'h{:08x}", MSIX_PENDING / 8),
        ),
        ("MSIX_CAP_TABLE_SIZE", format!("11'h{:03x}", VECTORS - 1)),
        ("USER_CLK_FREQ", "2".into()),
        ("USER_CLK2_DIV2", text("FALSE")),
    ]
}

/// Pins of the hard block that something is wired to.
const WIRED: &[(&str, &str)] = &[
    ("SYSRSTN", "sys_rst_n"),
    ("PIPECLK", "pipe_clk"),
    ("USERCLK", "user_clk"),
    ("USERCLK2", "user_clk"),
    ("DRPCLK", "user_clk"),
    ("USERRSTN", "user_rst_n"),
    ("RECEIVEDFUNCLVLRSTN", "received_reset_n"),
    ("TRNLNKUP", "trn_lnk_up"),
    ("TRNRD", "trn_rd"),
    ("TRNRSRCRDY", "trn_rsrc_rdy"),
    ("TRNREOF", "trn_reof"),
    ("TRNRREM", "trn_rrem"),
    ("TRNRERRFWD", "trn_rerrfwd"),
    ("TRNRBARHIT", "trn_rbar_hit"),
    ("TRNRDSTRDY", "trn_rdst_rdy"),
    ("TRNRNPOK", "trn_rnp_ok"),
    ("TRNRNPREQ", "1'b1"),
    ("TRNTD", "{64'd0, trn_td}"),
    ("TRNTSRCRDY", "trn_tsrc_rdy"),
    ("TRNTSOF", "trn_tsof"),
    ("TRNTEOF", "trn_teof"),
    ("TRNTREM", "{1'b0, trn_trem}"),
    ("TRNTDSTRDY", "trn_tdst_rdy"),
    ("TRNTCFGGNT", "1'b1"),
    ("TRNFCSEL", "3'b100"),
    ("TRNFCPH", "trn_fc_ph"),
    ("TRNFCPD", "trn_fc_pd"),
    ("TRNFCNPH", "trn_fc_nph"),
    ("TRNFCCPLH", "trn_fc_cplh"),
    ("TRNFCCPLD", "trn_fc_cpld"),
    ("CFGMSGRECEIVED", "cfg_msg_received"),
    ("CFGMSGDATA", "cfg_msg_data"),
    ("CFGCOMMANDBUSMASTERENABLE", "bus_master"),
    ("CFGDEVCONTROLMAXPAYLOAD", "max_payload"),
    ("CFGDEVCONTROLMAXREADREQ", "max_read"),
    ("CFGINTERRUPTMSIXENABLE", "msix_enable"),
    ("CFGINTERRUPTMSIXFM", "msix_mask"),
    ("MIMRXRDATA", "rx_read_data"),
    ("MIMRXRADDR", "rx_read_address"),
    ("MIMRXREN", "rx_read"),
    ("MIMRXWDATA", "rx_write_data"),
    ("MIMRXWADDR", "rx_write_address"),
    ("MIMRXWEN", "rx_write"),
    ("MIMTXRDATA", "tx_read_data"),
    ("MIMTXRADDR", "tx_read_address"),
    ("MIMTXREN", "tx_read"),
    ("MIMTXWDATA", "tx_write_data"),
    ("MIMTXWADDR", "tx_write_address"),
    ("MIMTXWEN", "tx_write"),
    ("PIPERX0DATA", "pipe_rx_data"),
    ("PIPERX0CHARISK", "pipe_rx_char_is_k"),
    ("PIPERX0VALID", "pipe_rx_valid"),
    ("PIPERX0STATUS", "pipe_rx_status"),
    ("PIPERX0PHYSTATUS", "pipe_rx_phy_status"),
    ("PIPERX0ELECIDLE", "pipe_rx_elec_idle"),
    ("PIPERX0CHANISALIGNED", "pipe_rx_aligned"),
    ("PIPERX0POLARITY", "pipe_rx_polarity"),
    ("PIPETX0DATA", "pipe_tx_data"),
    ("PIPETX0CHARISK", "pipe_tx_char_is_k"),
    ("PIPETX0ELECIDLE", "pipe_tx_elec_idle"),
    ("PIPETX0POWERDOWN", "pipe_tx_power_down"),
    ("PIPETX0COMPLIANCE", "pipe_tx_compliance"),
    ("PIPETXRATE", "pipe_tx_rate"),
    ("PIPETXRCVRDET", "pipe_tx_detect"),
    ("PIPETXRESET", "pipe_tx_reset"),
    ("PIPETXDEEMPH", "pipe_tx_deemphasis"),
    ("PIPETXMARGIN", "pipe_tx_margin"),
];

/// Wires inside the top module: name and width.
const WIRES: &[(&str, usize)] = &[
    ("received_reset_n", 1),
    ("trn_rd", 128),
    ("trn_rsrc_rdy", 1),
    ("trn_reof", 1),
    ("trn_rrem", 2),
    ("trn_rerrfwd", 1),
    ("trn_rbar_hit", 8),
    ("trn_rdst_rdy", 1),
    ("trn_rnp_ok", 1),
    ("trn_td", 64),
    ("trn_tsrc_rdy", 1),
    ("trn_tsof", 1),
    ("trn_teof", 1),
    ("trn_trem", 1),
    ("trn_tdst_rdy", 4),
    ("trn_fc_ph", 8),
    ("trn_fc_pd", 12),
    ("trn_fc_nph", 8),
    ("trn_fc_cplh", 8),
    ("trn_fc_cpld", 12),
    ("cfg_msg_received", 1),
    ("cfg_msg_data", 16),
    ("bus_master", 1),
    ("max_payload", 3),
    ("max_read", 3),
    ("msix_enable", 1),
    ("msix_mask", 1),
    ("rx_read_data", 68),
    ("rx_read_address", 13),
    ("rx_read", 1),
    ("rx_write_data", 68),
    ("rx_write_address", 13),
    ("rx_write", 1),
    ("tx_read_data", 69),
    ("tx_read_address", 13),
    ("tx_read", 1),
    ("tx_write_data", 69),
    ("tx_write_address", 13),
    ("tx_write", 1),
    ("rx_valid", 1),
    ("rx_data", 64),
    ("rx_last", 1),
    ("rx_keep", 1),
    ("rx_poison", 1),
    ("rx_bar", 2),
    ("rx_ready", 1),
    ("rx_read_ok", 1),
    ("tx_valid", 1),
    ("tx_data", 64),
    ("tx_last", 1),
    ("tx_keep", 1),
    ("tx_ready", 1),
    ("tx_posted_ok", 1),
    ("tx_read_ok", 1),
    ("tx_completion_ok", 1),
    ("device", 16),
    ("function_reset", 1),
];

/// Pins of the shim, besides its clock: each is wired to the wire of its name, or as the second table says.
const SHIM_PINS: &str = "trn_rsrc_rdy trn_reof trn_rerrfwd trn_rbar_hit trn_rdst_rdy trn_rnp_ok trn_td trn_tsrc_rdy \
    trn_tsof trn_teof trn_trem trn_fc_ph trn_fc_pd trn_fc_nph trn_fc_cplh trn_fc_cpld trn_lnk_up user_rst_n \
    received_reset_n cfg_msg_received cfg_msg_data rx_valid rx_data rx_last rx_keep rx_poison rx_bar rx_ready \
    rx_read_ok tx_valid tx_data tx_last tx_keep tx_ready tx_posted_ok tx_read_ok tx_completion_ok device \
    function_reset";
/// Pins of the shim that take a part of a wider wire.
const SHIM_PARTS: &[(&str, &str)] = &[
    ("trn_rd", "trn_rd[63:0]"),
    ("trn_rrem", "trn_rrem[0]"),
    ("trn_tdst_rdy", "trn_tdst_rdy[0]"),
];
/// Pins of the card, besides its clock.
const CARD_PINS: &str = "rx_valid rx_ready rx_data rx_last rx_keep rx_poison rx_bar rx_read_ok tx_valid tx_ready \
    tx_data tx_last tx_keep tx_posted_ok tx_read_ok tx_completion_ok device bus_master max_payload max_read \
    msix_enable msix_mask function_reset";

fn top(config: &CardConfig) -> String {
    let settings = settings(config);
    let parameters: Vec<_> = settings
        .iter()
        .map(|(n, v)| format!("    .{n}({v})"))
        .collect();
    let wires: String = WIRES
        .iter()
        .map(|(name, width)| format!("wire [{}:0] {name};\n", width - 1))
        .collect();
    let mut pins: Vec<_> = WIRED
        .iter()
        .map(|(pin, wire)| format!("    .{pin}({wire})"))
        .collect();
    let tie = |level: usize| {
        move |(pin, width): &(&str, usize)| format!("    .{pin}({{{width}{{1'b{level}}}}})")
    };
    pins.extend(HIGH.iter().map(tie(1)));
    pins.extend(LOW.iter().map(tie(0)));
    pins.push(format!(
        "    .CFGVENDID(16'h{VENDOR:04x}), .CFGDEVID(16'h{DEVICE:04x})"
    ));
    pins.push("    .CFGSUBSYSVENDID(16'd0), .CFGSUBSYSID(16'd0), .CFGREVID(8'd0)".into());
    let named = |names: &str| -> Vec<String> {
        names
            .split_whitespace()
            .map(|n| format!("    .{n}({n})"))
            .collect()
    };
    let mut shim = named(SHIM_PINS);
    shim.extend(
        SHIM_PARTS
            .iter()
            .map(|(pin, wire)| format!("    .{pin}({wire})")),
    );
    format!(
        "module {ARTIX7_TOP}(
    input wire sys_rst_n, input wire pipe_clk, input wire user_clk,
    output wire user_rst_n, output wire trn_lnk_up,
    input wire [15:0] pipe_rx_data, input wire [1:0] pipe_rx_char_is_k, input wire pipe_rx_valid,
    input wire [2:0] pipe_rx_status, input wire pipe_rx_phy_status, input wire pipe_rx_elec_idle,
    input wire pipe_rx_aligned, output wire pipe_rx_polarity,
    output wire [15:0] pipe_tx_data, output wire [1:0] pipe_tx_char_is_k, output wire pipe_tx_elec_idle,
    output wire [1:0] pipe_tx_power_down, output wire pipe_tx_compliance, output wire pipe_tx_rate,
    output wire pipe_tx_detect, output wire pipe_tx_reset, output wire pipe_tx_deemphasis,
    output wire [2:0] pipe_tx_margin);
{wires}
PCIE_2_1 #(
{}
) block (
{});

{SHIM} shim(
    .clock(user_clk),
{});

{CARD_TOP} card(
    .clock(user_clk),
{});

// Packet memories of the hard block: the answer follows its address by two cycles.
reg [67:0] rx_memory [0:2047];
reg [67:0] rx_answer, rx_held;
reg [68:0] tx_memory [0:2047];
reg [68:0] tx_answer, tx_held;
assign rx_read_data = rx_held;
assign tx_read_data = tx_held;
always @(posedge user_clk) begin
    if (rx_write) rx_memory[rx_write_address[10:0]] <= rx_write_data;
    if (rx_read) rx_answer <= rx_memory[rx_read_address[10:0]];
    rx_held <= rx_answer;
    if (tx_write) tx_memory[tx_write_address[10:0]] <= tx_write_data;
    if (tx_read) tx_answer <= tx_memory[tx_read_address[10:0]];
    tx_held <= tx_answer;
end
endmodule
",
        parameters.join(",\n"),
        pins.join(",\n"),
        shim.join(",\n"),
        named(CARD_PINS).join(",\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_pin_is_wired_once_and_every_wire_is_declared() {
        let pins = WIRED.iter().map(|(pin, _)| *pin);
        let mut seen = HashSet::new();
        for pin in pins.chain(HIGH.iter().chain(LOW).map(|(pin, _)| *pin)) {
            assert!(seen.insert(pin), "{pin}");
        }
        let declared: HashSet<_> = WIRES.iter().map(|(name, _)| *name).collect();
        let outside = ["trn_lnk_up", "user_rst_n"];
        for name in SHIM_PINS
            .split_whitespace()
            .chain(CARD_PINS.split_whitespace())
        {
            assert!(declared.contains(name) || outside.contains(&name), "{name}");
        }
    }

    #[test]
    fn base_address_settings_ask_for_the_sizes_of_the_map() {
        let config = CardConfig::new(crate::CoreConfig::named("1x1").expect("a named core"));
        let settings = settings(&config);
        let of = |name| {
            settings
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.as_str())
        };
        assert_eq!(of("BAR0"), Some("32'hffffc000"));
        assert_eq!(of("BAR2"), Some("32'hffff000c"));
        assert_eq!(of("MSIX_CAP_TABLE_OFFSET"), Some("29'h00000400"));
        assert_eq!(of("MSIX_CAP_PBA_OFFSET"), Some("29'h00000600"));
    }
}

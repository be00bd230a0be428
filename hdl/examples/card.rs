//! Writes a card's Verilog: `cargo run --release -p weft-hdl --example card -- [CORE] > weft_pcie_card.v`.

use weft_hdl::{CardConfig, CoreConfig, generate_card};

fn main() -> Result<(), weft_hdl::Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "8x1".into());
    let config = CardConfig::new(CoreConfig::named(&name)?);
    print!("{}", generate_card(&config)?);
    Ok(())
}

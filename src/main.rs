//! The `weft` command line.

fn main() -> anyhow::Result<()> {
    Ok(())
}

//! `weft completions`: scripts that complete this command line in a shell.

use clap::CommandFactory;
use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  weft completions bash > ~/.local/share/bash-completion/completions/weft\n  weft completions zsh > ~/.zfunc/_weft"
)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Runs the verb; the script goes to standard output.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let mut command = crate::cli::Cli::command();
    clap_complete::generate(args.shell, &mut command, "weft", &mut std::io::stdout());
    Ok(())
}

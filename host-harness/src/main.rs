//! The `datain` command; everything is in [`datain_host::cli`].

fn main() -> std::process::ExitCode {
    datain_host::cli::main()
}

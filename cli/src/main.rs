//! The `tenantry` program: a thin caller of its library.

fn main() -> std::process::ExitCode {
    tenantry::app::main()
}

# Everything a developer types. `just` alone lists it.

[private]
default:
    @just --list

# Compile every crate
build:
    cargo build --workspace

# All tests; those against real parts say so loudly when their part is missing (see `just tools`)
test:
    cargo test --workspace

# Formatting, clippy and the dependency rules, as strict as the gate
lint:
    .ci/run format lint deny

# Format every source file
fmt:
    cargo fmt --all

# Build the real parts of the tests into target/kubebuilder and target/tools: all, or those named
tools *NAMES:
    tests/tools.sh {{ NAMES }}

# What N customers cost the release build: time, processor, memory, requests (--json, --unchanged); see docs/benchmarks.md
bench N *OPTIONS:
    cargo build --release --package tenantry --bin tenantry
    cargo run --release --package tenantry-tests --bin bench -- {{ N }} {{ OPTIONS }}

# What N customers as objects cost the controller: time, memory, requests (--json, --unchanged, --idle SECONDS)
bench-cluster N *OPTIONS:
    cargo build --release --package tenantry-controller --bin tenantry-controller
    cargo run --release --package tenantry-tests --bin bench -- cluster {{ N }} {{ OPTIONS }}

# What loading N customers costs the release build: time, processor, memory; see docs/benchmarks.md
load N:
    cargo run --release --package tenantry --example load_budget -- {{ N }}

# The whole gate, as CI runs it
ci:
    .ci/run

//! One program under two names.

use clap::CommandFactory;

use super::{Cli, parsed};

#[test]
fn as_a_plugin_of_kubectl_it_is_called_as_people_call_it() {
    let usage = |name: &str| {
        let error =
            parsed([name, "plan", "--nonsense"].map(Into::into)).expect_err("there is no such option");
        error.to_string()
    };
    assert!(usage("/usr/local/bin/kubectl-tenantry").contains("Usage: kubectl tenantry plan"));
    assert!(usage("/usr/local/bin/tenantry").contains("Usage: tenantry plan"));
}

/// Every command that does something, with its name.
fn all(command: &clap::Command, name: &str, out: &mut Vec<(String, clap::Command)>) {
    if command.get_subcommands().next().is_none() || command.get_after_help().is_some() {
        out.push((name.to_owned(), command.clone()));
    }
    for below in command.get_subcommands() {
        all(below, &format!("{name} {}", below.get_name()), out);
    }
}

#[test]
fn every_command_shows_examples_and_keeps_what_all_share_apart() {
    let mut commands = Vec::new();
    let mut root = Cli::command();
    root.build();
    for below in root.get_subcommands().filter(|below| below.get_name() != "help") {
        all(below, below.get_name(), &mut commands);
    }
    for (name, command) in
        commands.iter().filter(|(name, _)| !name.ends_with(" help") && !name.contains(" help "))
    {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(after.contains("Example"), "tenantry {name} --help shows no example");
        for argument in command.get_arguments().filter(|argument| argument.is_global_set()) {
            let heading = argument.get_help_heading();
            assert_eq!(heading, Some("For every command"), "tenantry {name}: --{}", argument.get_id());
        }
    }
}

//! One program under two names.

use super::parsed;

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

//! The head of the module and the table of switches say the same.

use super::Switches;

#[test]
fn the_head_of_the_module_lists_every_switch_with_its_values() {
    let head = include_str!("mod.rs");
    let rows: Vec<&str> = head.lines().filter_map(|l| l.strip_prefix("//! | `")).collect();
    let table: Vec<String> = Switches::TABLE
        .iter()
        .map(|s| {
            let values: Vec<String> = s.values.iter().map(|v| format!("`{v}`")).collect();
            format!("{}` | {} |", s.name, values.join(", "))
        })
        .collect();
    assert_eq!(rows, table);
}

#[test]
fn every_single_deviation_can_be_set_by_name() {
    for (name, variant) in Switches::all_variants().into_iter().skip(1) {
        let (switch, value) = name.split_once('=').expect("named switch=value");
        let set = Switches::default().overlay(&serde_json::json!({switch: value}));
        assert_eq!(set, Ok(variant), "{name}");
    }
}

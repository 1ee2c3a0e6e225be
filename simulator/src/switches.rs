//! Typed settings for what a vendor's documents leave open.
//!
//! Each such question is one enum whose first variant is the default; the struct can name every
//! deviation from the default, so that a contract suite can run under each.

use serde::Serialize;

/// One question and its possible answers.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SwitchInfo {
    /// The field's name in JSON.
    pub name: &'static str,
    /// What is open, and who says what.
    pub about: &'static str,
    /// Values as spelled in JSON; the first is the default.
    pub values: &'static [&'static str],
}

/// Declares a vendor's settings: a struct, one enum per field, and their enumeration.
///
/// Each field is `"about" jsonName field_name: EnumName { Variant = "json-value", … }`; the first
/// variant is the default. The struct gets `TABLE`, `all_variants()` and `overlay()`.
#[macro_export]
macro_rules! switches {
    ($(#[$meta:meta])* $name:ident; $( $about:literal $json:literal $field:ident : $enum:ident
        { $first:ident = $first_json:literal $(, $variant:ident = $variant_json:literal)* $(,)? } )+) => {
        $(
            #[doc = $about]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ::serde::Serialize, ::serde::Deserialize)]
            pub enum $enum {
                #[doc = concat!("`", $first_json, "`, the default.")]
                #[default]
                #[serde(rename = $first_json)]
                $first,
                $(
                    #[doc = concat!("`", $variant_json, "`.")]
                    #[serde(rename = $variant_json)]
                    $variant,
                )*
            }
        )+

        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                #[doc = $about]
                #[serde(rename = $json)]
                pub $field: $enum,
            )+
        }

        impl $name {
            /// Every switch with its possible values.
            pub const TABLE: &'static [$crate::SwitchInfo] = &[
                $( $crate::SwitchInfo {
                    name: $json,
                    about: $about,
                    values: &[$first_json $(, $variant_json)*],
                }, )+
            ];

            /// The default, then each single deviation from it, named `switch=value`.
            pub fn all_variants() -> Vec<(String, Self)> {
                #[allow(unused_mut, reason = "a switch may have one value only")]
                let mut all = vec![("default".to_owned(), Self::default())];
                $( $(
                    all.push((
                        concat!($json, "=", $variant_json).to_owned(),
                        Self { $field: $enum::$variant, ..Self::default() },
                    ));
                )* )+
                all
            }

            /// These settings with the fields of a JSON object laid over them.
            pub fn overlay(self, change: &::serde_json::Value) -> Result<Self, String> {
                let mut base = ::serde_json::to_value(self).map_err(|e| e.to_string())?;
                let (Some(base_fields), Some(change)) = (base.as_object_mut(), change.as_object()) else {
                    return Err("switches are a JSON object".to_owned());
                };
                for (key, value) in change {
                    base_fields.insert(key.clone(), value.clone());
                }
                ::serde_json::from_value(base).map_err(|e| e.to_string())
            }
        }
    };
}

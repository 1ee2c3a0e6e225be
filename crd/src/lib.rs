//! The YAML that people write, as typed resources of the group `tenantry.io/v1alpha1`.
//!
//! One set of Rust types is the source of the cluster's CRDs, the editors' schemas, `tenantry explain` and the
//! typed objects that the engine plans from. This crate never does input or output, and reads no clock.
//!
//! Invariants: a field absent is not managed, `[]` is "none wanted", and `null` is an error everywhere; a field that
//! no type knows is an error; rules about one object are CEL in the schema, and the same rules run offline with the
//! feature `cel`.

pub mod attestation;
pub mod binding;
#[cfg(feature = "cel")]
pub mod cel;
pub mod console;
mod crds;
pub mod customer;
pub mod explain;
pub mod inventory;
pub mod kind;
pub mod license;
pub mod path;
pub mod policy;
pub mod product;
pub mod reference;
pub mod relationship;
pub mod rollout;
mod schema;
pub mod status;
pub mod upgrade;
pub mod value;
pub mod want;

pub use attestation::{Attestation, AttestationSpec};
pub use binding::{ConsoleBinding, ConsoleBindingSpec};
pub use console::{Console, ConsoleSpec, Vendor};
pub use crds::{crd_files, crds, schema_files, schemas};
pub use customer::{Customer, CustomerAccount, CustomerSpec};
pub use inventory::{Inventory, InventorySpec};
pub use kind::{AnyObject, Kind, ObjectError, Problem};
pub use license::{License, LicenseSpec};
pub use path::{FieldPath, Segment};
pub use policy::{PlanPolicy, PlanPolicySpec};
pub use product::{Product, ProductSpec};
pub use reference::NameRef;
pub use relationship::{Relationship, RelationshipSpec};
pub use upgrade::{Upgrade, UpgradeSpec};
pub use value::{Currency, Date, Decimal, IsoDuration, Moment, Money};
pub use want::{DeletionPolicy, Want};

use serde::{Deserialize, Deserializer};

/// The API group of every kind.
pub const GROUP: &str = "tenantry.io";

/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";

/// `apiVersion` of every object.
pub const API_VERSION: &str = "tenantry.io/v1alpha1";

/// Reads a field that may be absent but, once written, must have a value: `null` is an error.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

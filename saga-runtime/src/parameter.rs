//! What a saga's own parameters stand for, where its data uses them.

/// What a saga's parameter can stand for where the saga's data uses it: a type with a name that the log can keep.
///
/// `Transfer<Eur>` and `Transfer<Usd>` are two sagas with two histories, whose records may look the same. So the name is
/// part of the saga's definition and of its fingerprint: what was begun as the one is never continued as the other. No
/// compiler promises what it calls a type, and a type may be renamed or moved; therefore you say the name:
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Eur(u64);
///
/// impl saga_runtime::SagaParameter for Eur {
///     const NAME: &str = "Eur";
/// }
/// ```
///
/// Two types that one saga is registered with need two names. A name that changes makes another saga of it: those that
/// run stay in the log until it is named as before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no name for the log: a saga whose data depends on it could be continued as another one",
    label = "a parameter that a saga's data uses must say what it is called in the log",
    note = "name it once and for all: `impl saga_runtime::SagaParameter for {Self} {{ const NAME: &str = \"{Self}\"; }}`"
)]
pub trait SagaParameter: 'static {
    /// What it is called in the log: the same for ever, and another one for every type.
    const NAME: &'static str;
}

macro_rules! named_as_they_are {
    ($($ty:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl SagaParameter for $ty {
                const NAME: &'static str = stringify!($ty);
            }
        )*
    };
}

named_as_they_are!(bool char f32 f64 i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize String);

#[diagnostic::do_not_recommend]
impl SagaParameter for () {
    const NAME: &'static str = "()";
}

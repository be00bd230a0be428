//! What can be wrong with board files.

/// Why the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// A file is not valid TOML, lacks a key, or has one that is not known.
    #[error("cannot read {file}: {cause}")]
    Parse {
        /// Which file.
        file: String,
        /// Line, key and reason, as the parser says.
        cause: String,
    },
    /// A file contradicts itself, its part or its family.
    #[error("{file} is wrong: {problem}")]
    Check {
        /// Which file.
        file: String,
        /// What is wrong.
        problem: Problem,
    },
    /// No board has this name.
    #[error("no board is called {name:?}{}; `weft boards` lists {known}", near.as_ref().map(|n| format!(" (did you mean {n}?)")).unwrap_or_default())]
    UnknownBoard {
        /// The name asked for.
        name: String,
        /// The closest known name, if one is close.
        near: Option<String>,
        /// How many there are.
        known: usize,
    },
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The name inside differs from the file's.
    #[error("it calls itself {inside:?}; the name must be the file's")]
    Name {
        /// The name inside.
        inside: String,
    },
    /// Two variants of one name in the whole catalogue.
    #[error("another board has the variant {variant:?} too; names must differ")]
    Twice {
        /// The name.
        variant: String,
    },
    /// A board without variants.
    #[error("it has no variant; add [[variants]] with name, part and package")]
    NoVariant,
    /// The part has no file.
    #[error("variant {variant} names the part {part:?}, which has no file under parts/")]
    UnknownPart {
        /// The variant.
        variant: String,
        /// The part.
        part: String,
    },
    /// The family has no file.
    #[error("it names the family {family:?}, which has no file under families/")]
    UnknownFamily {
        /// The family.
        family: String,
    },
    /// The part has no such package.
    #[error("{part} has no package {package:?}; its file lists {known}")]
    UnknownPackage {
        /// The part.
        part: String,
        /// The package.
        package: String,
        /// Those that there are.
        known: String,
    },
    /// The tools know no such speed grade.
    #[error("{part} has no speed grade {speed}; its file lists {known}")]
    SpeedGrade {
        /// The part.
        part: String,
        /// The grade, or `none`.
        speed: String,
        /// Those that there are, or `none`.
        known: String,
    },
    /// The package has no such pin, or it is a supply.
    #[error("{role} is on pin {pin}, which a design in {part} {package} cannot use")]
    Pin {
        /// What is on the pin.
        role: String,
        /// The pin.
        pin: String,
        /// The part.
        part: String,
        /// The package.
        package: String,
    },
    /// One pin with two roles.
    #[error("pin {pin} is {first} and {second}; one of them is wrong")]
    SamePin {
        /// The pin.
        pin: String,
        /// First role.
        first: String,
        /// Second role.
        second: String,
    },
    /// The wanted clock cannot be made.
    #[error("variant {variant}: {cause}")]
    Pll {
        /// The variant.
        variant: String,
        /// Why not.
        cause: crate::pll::PllError,
    },
    /// The family's clock multiplier is not described here.
    #[error(
        "variant {variant} wants a core clock of {wanted} MHz from {clock} MHz, but family {family} has no [pll]"
    )]
    NoPll {
        /// The variant.
        variant: String,
        /// Wanted, MHz.
        wanted: f64,
        /// The oscillator, MHz.
        clock: f64,
        /// The family.
        family: String,
    },
    /// A number or a text that makes no sense.
    #[error("{key} is {value}; it must be {rule}")]
    Value {
        /// The key.
        key: String,
        /// What it is.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
    /// A command has a placeholder that the part does not fill.
    #[error(
        "the commands of family {family} need {placeholder:?}, which the part does not give: add that key"
    )]
    Placeholder {
        /// The family.
        family: String,
        /// The placeholder.
        placeholder: String,
    },
}

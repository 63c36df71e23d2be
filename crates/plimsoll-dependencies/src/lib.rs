//! What a tree or an artifact depends on, read from lock files without executing anything; the SBOM that says so, with how
//! complete it is; and what advisories know about it, by their own version ranges.

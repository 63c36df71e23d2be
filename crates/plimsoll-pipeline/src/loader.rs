//! Variables that make a program run code which is not in its artifact.

/// Whether the variable `name` has a loader, the C library or an interpreter run code, or options, that no release names.
///
/// A release says which bytes start, by digest. Each of these variables brings further code in silently, from whatever
/// path it holds, which can be a `data:` directory that the service itself filled. So they are refused where a
/// delivery repository or a pipeline sets them, and in an image's own configuration.
///
/// The list has variables whose *purpose* is other code. Not on it: where things are installed (`PATH`, `JAVA_HOME`,
/// `GEM_HOME`), which images of the field set for themselves; tuning without code (`MALLOC_ARENA_MAX`,
/// `PYTHONUNBUFFERED`, `NODE_ENV`); and `ENV`, which shells read only when they talk to a terminal, while programs
/// take it for the name of the environment. Names are compared as Linux does, with case.
#[must_use]
pub fn loader_variable(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

/// Families that grow with each version of their program.
const PREFIXES: &[&str] = &[
    // ld.so(8): LD_PRELOAD, LD_AUDIT, LD_LIBRARY_PATH, …
    "LD_",
    // lua(1): LUA_INIT_5_4, LUA_PATH_5_4, LUA_CPATH_5_4, …
    "LUA_INIT",
    "LUA_PATH",
    "LUA_CPATH",
    // Profilers that the .NET runtime loads: CORECLR_PROFILER_PATH_64, …
    "CORECLR_PROFILER",
    "COR_PROFILER",
];

const NAMES: &[&str] = &[
    // glibc: tunables of the loader; converters are libraries; locales and message catalogs hold format strings.
    "GLIBC_TUNABLES",
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    // OpenSSL, which most programs link: its configuration names engines and providers, which are libraries.
    "OPENSSL_CONF",
    "OPENSSL_ENGINES",
    "OPENSSL_MODULES",
    // python(1); PYTHONWARNINGS imports the module of a category, PYTHONPYCACHEPREFIX holds compiled code.
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX",
    "PYTHONBREAKPOINT",
    "PYTHONWARNINGS",
    "PYTHONINSPECT",
    // node(1) and its kin.
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "BUN_OPTIONS",
    // perlrun(1).
    "PERL5LIB",
    "PERLLIB",
    "PERL5OPT",
    "PERL5DB",
    // ruby(1).
    "RUBYLIB",
    "RUBYOPT",
    // java(1): agents and class paths.
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    // bash(1) and zsh(1); SHELLOPTS turns on tracing, whose prompt PS4 is a command.
    "BASH_ENV",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "ZDOTDIR",
    "FPATH",
    // .NET and Mono.
    "DOTNET_STARTUP_HOOKS",
    "DOTNET_ADDITIONAL_DEPS",
    "DOTNET_SHARED_STORE",
    "CORECLR_ENABLE_PROFILING",
    "COR_ENABLE_PROFILING",
    "MONO_PATH",
    // php(1): php.ini names extensions and files that are run before each script.
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    // erl(1): `-eval` and paths of code.
    "ERL_LIBS",
    "ERL_FLAGS",
    "ERL_AFLAGS",
    "ERL_ZFLAGS",
    "ELIXIR_ERL_OPTIONS",
    // R, Tcl, Guile, Julia, OCaml.
    "R_PROFILE",
    "R_PROFILE_USER",
    "R_ENVIRON",
    "R_ENVIRON_USER",
    "R_LIBS",
    "R_LIBS_USER",
    "TCLLIBPATH",
    "GUILE_LOAD_PATH",
    "GUILE_LOAD_COMPILED_PATH",
    "JULIA_LOAD_PATH",
    "JULIA_DEPOT_PATH",
    "CAML_LD_LIBRARY_PATH",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loads_other_code_is_told_from_settings() {
        for name in [
            "LD_PRELOAD",
            "LD_AUDIT",
            "LD_anything_later",
            "GLIBC_TUNABLES",
            "GCONV_PATH",
            "OPENSSL_CONF",
            "PYTHONPATH",
            "PYTHONWARNINGS",
            "NODE_OPTIONS",
            "PERL5OPT",
            "RUBYOPT",
            "JAVA_TOOL_OPTIONS",
            "_JAVA_OPTIONS",
            "BASH_ENV",
            "DOTNET_STARTUP_HOOKS",
            "CORECLR_PROFILER_PATH_64",
            "PHPRC",
            "LUA_INIT",
            "LUA_INIT_5_4",
            "LUA_CPATH",
            "ERL_AFLAGS",
        ] {
            assert!(loader_variable(name), "{name}");
        }
        for name in [
            "",
            "LD",
            "OLD_LD_PRELOAD",
            "ld_preload",
            "ENV",
            "PATH",
            "HOME",
            "JAVA_HOME",
            "GEM_HOME",
            "NODE_ENV",
            "PYTHONUNBUFFERED",
            "MALLOC_ARENA_MAX",
            "LOG_LEVEL",
            "LANG",
            "TZ",
        ] {
            assert!(!loader_variable(name), "{name}");
        }
    }
}

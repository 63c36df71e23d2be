//! `plimsoll check`: reads every file that users write, and reports every error of every file.

use crate::{cli::Check, failure::Failure, output::Output};
use plimsoll_pipeline::{
    Delivery, Environment, EnvironmentText, FileErrors, People, Pipeline, Project, Target, check_together,
    delivery::exceptions,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Bytes of a file that users write.
const LIMIT: u64 = 1 << 20;

pub(crate) fn check(arguments: &Check, output: &Output) -> Result<(), Failure> {
    let mut looked =
        Looked { root: arguments.directory.clone(), files: vec![], errors: vec![], pipeline: None };
    looked.project()?;
    looked.delivery()?;
    if looked.files.is_empty() {
        let what =
            format!("there is no plimsoll.yaml and no delivery.yaml in {}", arguments.directory.display());
        return Err(Failure::Usage(format!("{what}; `plimsoll init` writes one")));
    }
    if looked.errors.is_empty() {
        let mut text = looked.files.iter().map(|file| format!("ok  {file}\n")).collect::<String>();
        if let Some(pipeline) = &looked.pipeline {
            text.push_str(&format!("pipeline  {pipeline}\n"));
        }
        output.result(&text, &serde_json::json!({ "files": looked.files, "pipeline": looked.pipeline }));
        return Ok(());
    }
    for errors in &looked.errors {
        output.progress(errors.render().trim_end());
    }
    Err(Failure::Refused(looked.errors.iter().flat_map(|errors| errors.reasons()).collect()))
}

struct Looked {
    root: PathBuf,
    files: Vec<String>,
    errors: Vec<FileErrors>,
    pipeline: Option<String>,
}

impl Looked {
    fn project(&mut self) -> Result<(), Failure> {
        let Some(bytes) = self.bytes("plimsoll.yaml")? else { return Ok(()) };
        let read = Pipeline::read("plimsoll.yaml", &bytes);
        self.pipeline =
            read.as_ref().ok().and_then(|pipeline| pipeline.digest().ok()).map(|digest| digest.to_string());
        self.note("plimsoll.yaml", read);
        Ok(())
    }

    fn delivery(&mut self) -> Result<(), Failure> {
        let Some(bytes) = self.bytes("delivery.yaml")? else { return Ok(()) };
        self.note("delivery.yaml", Delivery::read("delivery.yaml", &bytes));
        self.each("people.yaml", People::read)?;
        for project in self.list("projects")? {
            self.each(&format!("projects/{project}"), Project::read)?;
        }
        for environment in self.list("environments")? {
            let directory = format!("environments/{environment}");
            self.each(&format!("{directory}/environment.yaml"), Environment::read)?;
            for project in self.list(&directory)? {
                let target = format!("{directory}/{project}/target.yaml");
                if self.root.join(&target).is_file() {
                    self.each(&target, Target::read)?;
                }
                let exceptions = format!("{directory}/{project}/exceptions.yaml");
                if self.root.join(&exceptions).is_file() {
                    self.exceptions(&exceptions)?;
                }
            }
        }
        self.together()
    }

    /// Who answers for an exception stands in people.yaml; where that cannot be read, its own errors are shown.
    fn exceptions(&mut self, file: &str) -> Result<(), Failure> {
        let (Some(bytes), Some(people)) = (self.bytes(file)?, self.people()?) else { return Ok(()) };
        self.note(file, exceptions::read(file, &bytes, &people));
        Ok(())
    }

    fn people(&self) -> Result<Option<People>, Failure> {
        let bytes = self.bytes("people.yaml")?;
        Ok(bytes.and_then(|bytes| People::read("people.yaml", &bytes).ok()))
    }

    /// What environments say about each other and about people.
    fn together(&mut self) -> Result<(), Failure> {
        let mut texts = Vec::new();
        for environment in self.list("environments")? {
            let file = format!("environments/{environment}/environment.yaml");
            if let (Some(bytes), Ok(name)) = (self.bytes(&file)?, environment.parse()) {
                texts.push(EnvironmentText { name, file, bytes });
            }
        }
        let people = self.people()?;
        self.errors.extend(check_together(&texts, people.as_ref()));
        Ok(())
    }

    fn each<T>(
        &mut self,
        file: &str,
        read: fn(&str, &[u8]) -> Result<T, Box<FileErrors>>,
    ) -> Result<(), Failure> {
        let bytes =
            self.bytes(file)?.ok_or_else(|| plimsoll_model::Code::FileMissing.reason().with("file", file))?;
        let result = read(file, &bytes);
        self.note(file, result);
        Ok(())
    }

    fn note<T>(&mut self, file: &str, result: Result<T, Box<FileErrors>>) {
        self.files.push(file.to_owned());
        self.errors.extend(result.err().map(|errors| *errors));
    }

    fn bytes(&self, file: &str) -> Result<Option<Vec<u8>>, Failure> {
        use std::io::Read as _;
        let path = self.root.join(file);
        let failed = |error: io::Error| Failure::broken(format!("failed to read {}", path.display()), &error);
        let opened = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let mut bytes = Vec::new();
        opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, Failure> {
        let path = self.root.join(directory);
        names(&path).map_err(|error| Failure::broken(format!("failed to list {}", path.display()), &error))
    }
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        other => other?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

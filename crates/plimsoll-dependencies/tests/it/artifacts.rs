//! What is read out of images, programs and archives. The small programs are put together here: they have what the tools
//! write where the tools write it, and nothing else.

use crate::show::{bytes, inventory};
use flate2::{Compression, write::ZlibEncoder};
use insta::assert_snapshot;
use plimsoll_dependencies::Inventory;
use std::io::{Cursor, Read as _, Write as _};
use zip::{ZipWriter, write::SimpleFileOptions};

const STATUS: &[u8] = include_bytes!("../fixtures/artifacts/var/lib/dpkg/status");

const INSTALLED: &[u8] = include_bytes!("../fixtures/artifacts/lib/apk/db/installed");

#[test]
fn packages_of_a_distribution_name_their_sources_and_the_release_beside_them() {
    let debian = [
        ("root/etc/os-release", &b"ID=debian\nVERSION_ID=\"12\"\n"[..]),
        ("root/var/lib/dpkg/status", STATUS),
    ];
    assert_snapshot!("dpkg", inventory(&debian));
    let ubuntu =
        [("var/lib/dpkg/status", STATUS), ("usr/lib/os-release", &b"ID=ubuntu\nVERSION_ID=\"22.04\"\n"[..])];
    assert!(
        inventory(&ubuntu).contains("pkg:deb/ubuntu/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=ubuntu-22.04")
    );
    let alpine =
        [("lib/apk/db/installed", INSTALLED), ("etc/os-release", &b"ID=alpine\nVERSION_ID=3.20.1\n"[..])];
    assert_snapshot!("apk", inventory(&alpine));
    let mut found = Inventory::new();
    for (path, bytes) in alpine {
        found.add(path, bytes);
    }
    assert_eq!(found.finish().graphs[0].graph.components[0].release, "v3.20");
}

#[test]
fn a_database_that_is_not_read_is_a_gap() {
    for path in ["var/lib/rpm/Packages", "root/usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/Packages.db"]
    {
        let told = bytes(path, b"\0\0\0\0\x61\x15\x06\0");
        assert!(told.starts_with("gap: a database of rpm in Berkeley DB's format is not read"), "{told}");
    }
    let log = "var/lib/rpm/rpmdb.sqlite-wal";
    assert_eq!(bytes(log, b"x"), "gap: it holds changes to the database of rpm, which are not read");
    let mut empty = Inventory::new();
    assert!(Inventory::wants(log) && empty.add(log, b"") && empty.finish().coverage.gaps.is_empty());
}

#[test]
fn packages_of_rpm_are_of_the_distribution_beside_them() {
    let packed = include_bytes!("../fixtures/rpm/rpmdb.sqlite.gz");
    let mut database = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut database).unwrap();
    for (release, distribution, purl) in [
        (
            "ID=\"rhel\"\nVERSION_ID=\"9.4\"",
            "Red Hat:9",
            "pkg:rpm/redhat/shop1@1.2.3-4.el9_2?arch=noarch&distro=rhel-9.4",
        ),
        (
            "ID=rocky\nVERSION_ID=9.3",
            "Rocky Linux:9",
            "pkg:rpm/rocky-linux/shop1@1.2.3-4.el9_2?arch=noarch&distro=rocky-9.3",
        ),
        ("ID=almalinux\nVERSION_ID=8.9", "AlmaLinux:8", "pkg:rpm/almalinux/shop1@"),
        ("ID=sles\nVERSION_ID=15.5", "SUSE:15 SP5", "pkg:rpm/suse/shop1@"),
        ("ID=sles\nVERSION_ID=15", "SUSE:15", "pkg:rpm/suse/shop1@"),
        ("ID=opensuse-leap\nVERSION_ID=15.6", "openSUSE:Leap 15.6", "pkg:rpm/opensuse/shop1@"),
        ("ID=opensuse-tumbleweed\nVERSION_ID=20260101", "openSUSE:Tumbleweed", "pkg:rpm/opensuse/shop1@"),
        (
            "ID=fedora\nVERSION_ID=41",
            "RPM:fedora 41",
            "pkg:rpm/shop1@1.2.3-4.el9_2?arch=noarch&distro=fedora-41",
        ),
        ("", "RPM:", "pkg:rpm/shop1@1.2.3-4.el9_2?arch=noarch"),
    ] {
        let mut inventory = Inventory::new();
        inventory.add("etc/os-release", release.as_bytes());
        inventory.add("var/lib/rpm/rpmdb.sqlite", &database);
        let found = inventory.finish();
        let components = &found.graphs[0].graph.components;
        let shop = components.iter().find(|component| component.name == "shop1").unwrap();
        assert_eq!(format!("{}:{}", shop.ecosystem, shop.release), distribution);
        assert!(shop.purl.starts_with(purl), "{}", shop.purl);
        let epoch = components.iter().find(|component| component.name == "shop2").unwrap();
        assert!(
            epoch.version == "2:1.2.3-4.el9_2" && epoch.purl.contains("@1.2.3-4.el9_2?"),
            "{}",
            epoch.purl
        );
        assert!(epoch.purl.ends_with("epoch=2"), "{}", epoch.purl);
    }
}

/// A program as the Go linker leaves it: its information at a multiple of 16.
fn go_program(modules: &str) -> Vec<u8> {
    let mut program = b"\x7fELF............................................".to_vec();
    program.truncate(48);
    program.extend([b"\xff Go build".as_slice(), b"inf:", &[8, 2]].concat());
    program.resize(48 + 32, 0);
    for text in
        ["go1.22.1 X:nocoverageredesign".to_owned(), format!("{}{modules}{}", "g".repeat(16), "g".repeat(16))]
    {
        let mut length = text.len();
        while length >= 0x80 {
            program.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        program.push(length as u8);
        program.extend(text.as_bytes());
    }
    program
}

#[test]
fn a_go_program_says_what_it_was_built_from() {
    let modules = "path\texample.com/shop\nmod\texample.com/shop\t(devel)\t\ndep\tgithub.com/BurntSushi/toml\tv1.4.0\th1:x=\n\
        dep\texample.com/a\tv1.0.0\n=>\texample.com/b\tv1.1.0\th1:y=\nbuild\t-compiler=gc\n";
    let program = go_program(modules);
    assert_snapshot!("go_program", bytes("bin/shop", &program));
    let cut = &program[..program.len() - 20];
    assert_eq!(bytes("bin/shop", cut), "gap: its list of Go modules is cut off");
    let mut old = program.clone();
    old[48 + 15] = 0;
    assert!(bytes("bin/shop", &old).starts_with("gap: it was built by Go before 1.18"));
}

#[test]
fn other_programs_and_files_without_an_ending_are_no_business_of_ours() {
    let mut inventory = Inventory::new();
    for content in [&b"\x7fELF"[..], b"MZ", b"#!/bin/sh\n", b"", b"\xff Go buildinf:"] {
        assert!(!inventory.add("bin/tool", content));
    }
}

/// The smallest ELF file with one section of that name and content.
fn elf(name: &str, content: &[u8]) -> Vec<u8> {
    let names = format!("\0{name}\0.shstrtab\0");
    let (at, after) = (64 + content.len(), 64 + content.len() + names.len());
    let mut file = vec![0; 64];
    file[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let mut put = |place: usize, value: u64, width: usize| {
        file[place..place + width].copy_from_slice(&value.to_le_bytes()[..width]);
    };
    for (place, value, width) in [
        (16, 2, 2),
        (18, 62, 2),
        (20, 1, 4),
        (40, after as u64, 8),
        (52, 64, 2),
        (58, 64, 2),
        (60, 3, 2),
        (62, 2, 2),
    ] {
        put(place, value, width);
    }
    file.extend(content);
    file.extend(names.as_bytes());
    let section = |name: u32, kind: u32, offset: usize, size: usize| {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&name.to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&(offset as u64).to_le_bytes());
        header[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        header
    };
    file.extend(section(0, 0, 0, 0));
    file.extend(section(1, 1, 64, content.len()));
    file.extend(section(name.len() as u32 + 2, 3, at, names.len()));
    file
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_rust_program_says_what_it_was_built_from() {
    let list = br#"{"packages":[
        {"name":"cc","version":"1.0.90","source":"crates.io","kind":"build"},
        {"name":"libc","version":"0.2.153","source":"crates.io"},
        {"name":"shop","version":"0.1.0","source":"local","dependencies":[0,1],"root":true}]}"#;
    assert_snapshot!("rust_program", bytes("bin/shop", &elf(".dep-v0", &packed(list))));
    let bomb = elf(".dep-v0", &packed(&vec![b' '; 20 << 20]));
    assert_eq!(bytes("bin/shop", &bomb), "gap: its list of Rust packages has more than 8388608 bytes");
    assert_eq!(
        bytes("bin/shop", &elf(".dep-v0", b"no")),
        "gap: its list of Rust packages cannot be unpacked"
    );
    assert!(!Inventory::new().add("bin/shop", &elf(".text", list)));
}

fn jar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_jar_names_itself_and_those_within_it() {
    let properties = b"#Generated by Maven\nversion=33.0.0-jre\ngroupId=com.google.guava\nartifactId=guava\n";
    let guava = jar(&[("META-INF/maven/com.google.guava/guava/pom.properties", properties)]);
    let plain = jar(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nImplementation-Version: 2.5\r\n")]);
    let outer = jar(&[("BOOT-INF/lib/guava-33.0.0-jre.jar", &guava), ("BOOT-INF/lib/plain.jar", &plain)]);
    assert_snapshot!("jar", bytes("shop-1.0.jar", &outer));
}

#[test]
fn a_jar_that_unpacks_without_end_is_a_gap() {
    let mut nested = jar(&[]);
    for _ in 0..8 {
        nested = jar(&[("a.jar", &nested)]);
    }
    assert!(bytes("a.jar", &nested).ends_with("lies in more than 4 archives"));
    assert!(bytes("a.jar", b"PK\x03\x04").starts_with("gap: `a.jar` is no whole archive"));
}

"""Rules of Plimsoll about manifests, and the numbers of checkov's checks that ask the same."""

CHECKOV = {
    "privileged": "16", "privilege-escalation": "20", "writable-root": "22", "runs-as-root": "23",
    "capabilities-kept": "37", "seccomp-missing": "31", "liveness-probe": "8", "readiness-probe": "9",
    "cpu-request": "10", "cpu-limit": "11", "memory-request": "12", "memory-limit": "13", "moving-image": "14",
    "host-pid": "17", "host-ipc": "18", "host-network": "19", "host-port": "26", "engine-socket": "27",
    "secret-as-env": "35", "token-mounted": "38", "image-without-digest": "43", "role-wildcard": "49",
    "default-namespace": "21",
}

#!/bin/bash
# Shows four known bytes with the frozen artifact.
set -eu
program=$(find /artifact -type f -name hexyl)
printf 'abc\n' | "$program" --color never | grep --fixed-strings '61 62 63 0a'

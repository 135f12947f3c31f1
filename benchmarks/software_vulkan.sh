#!/bin/sh
# Fetches an implementation of Vulkan in software (SwiftShader, out of Debian's chromium-common) into a cache, installs
# nothing, and prints what LiteRT's GPU accelerator needs to find it:  eval "$(sh benchmarks/software_vulkan.sh)"
set -eu
cache="${XDG_CACHE_HOME:-$HOME/.cache}/nhwcc/vulkan"
place="$cache/usr/lib/chromium"
if [ ! -e "$place/libvk_swiftshader.so" ]; then
    mkdir -p "$cache"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    (cd "$work" && apt-get download chromium-common >&2)
    dpkg-deb --fsys-tarfile "$work"/chromium-common_*.deb |
        tar x -C "$cache" --wildcards '*swiftshader*' '*libvulkan.so*'
fi
echo "export LD_LIBRARY_PATH='$place'"
echo "export VK_ICD_FILENAMES='$place/vk_swiftshader_icd.json'"

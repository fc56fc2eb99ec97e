#!/bin/sh
# Install what the app needs into a virtual environment: sh deploy/install.sh .venv
#
# With PyTorch's CPU build. The plain one for Linux carries gigabytes of CUDA libraries.
set -eu
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements.txt
[ -f "$requirements" ] || requirements=$here/../requirements.txt
index=${TORCH_INDEX-https://download.pytorch.org/whl/cpu}
if [ -n "$index" ] && [ "$(uname -sm)" = "Linux x86_64" ]; then
    "$venv/bin/python" -m pip install --no-cache-dir --index-url "$index" \
        "$(grep '^torch==' "$requirements")"
fi
"$venv/bin/python" -m pip install --no-cache-dir --requirement "$requirements"

/* SPDX-License-Identifier: Apache-2.0 */
/* Does a containerd ask image verifiers before each pull of the kubelet's? Pure. Only its transfer service calls them
 * (core/transfer/local/pull.go). CRI pulls by it since 2.1, unless CheckLocalImagePullConfigs()
 * (internal/cri/config/config.go) forbids. Default folder: plugins/imageverifier/path_unix.go. */
#pragma once

#include <stdbool.h>

#define HF_IMAGE_VERIFIER_DIR "/opt/containerd/image-verifier/bin"

struct hf_image_runtime {
    char folder[256];      /* bin_dir; "": unreadable */
    bool disabled;         /* by disabled_plugins */
    bool calls_none;       /* max_verifiers 0 */
    char config_path[256]; /* hosts.toml's; or "" */
    char root[256];        /* data; "": default */
    unsigned local_pull;   /* bits: settings by which CRI pulls without the transfer service */
};

struct hf_image_imports {
    char path[8][256]; /* or patterns */
    unsigned n;
    bool lost; /* there are more, or longer ones */
};

/* Begin with zeros and HF_IMAGE_VERIFIER_DIR, then read all files in order. */
void hf_image_runtime_read(struct hf_image_runtime *runtime, const char *toml, struct hf_image_imports *ret_imports);

/* One name of `local_pull`, or NULL. */
const char *hf_image_runtime_local_pull(const struct hf_image_runtime *runtime);

/* `text`: "containerd github.com/containerd/containerd/v2 v2.1.4 0123abc". False: another form. */
bool hf_image_runtime_version(const char *text, unsigned *ret_major, unsigned *ret_minor);

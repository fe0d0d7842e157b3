/* SPDX-License-Identifier: Apache-2.0 */
/* Does a containerd ask its image verifiers before each pull of the kubelet's? Pure. By its source: they are called by
 * the transfer service alone (core/transfer/local/pull.go), by which CRI pulls since 2.1, unless use_local_image_pull,
 * also as turned on by CheckLocalImagePullConfigs() (internal/cri/config/config.go). Default folder:
 * plugins/imageverifier/path_unix.go. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_IMAGE_VERIFIER_DIR "/opt/containerd/image-verifier/bin"

struct hf_image_runtime {
    char folder[256];      /* bin_dir; "": unreadable */
    bool disabled;         /* by disabled_plugins */
    bool calls_none;       /* max_verifiers 0 */
    char config_path[256]; /* of hosts.toml; "": none */
    char root[256];        /* containerd's data; "": not said */
    unsigned local_pull;   /* bits: settings by which CRI pulls without the transfer service */
};

/* The `imports` of one file. */
struct hf_image_imports {
    char path[8][256]; /* a path or pattern */
    unsigned n;
    bool lost; /* more, longer, or without end */
};

/* Begin with zeros and HF_IMAGE_VERIFIER_DIR, then read all files in order: later ones count more. */
void hf_image_runtime_read(struct hf_image_runtime *runtime, const char *toml, struct hf_image_imports *ret_imports);

/* A name among `local_pull`, or NULL. */
const char *hf_image_runtime_local_pull(const struct hf_image_runtime *runtime);

/* `text`: as `containerd --version` prints it: "containerd github.com/containerd/containerd/v2 v2.1.4 0123abc". False:
 * another form. */
bool hf_image_runtime_version(const char *text, unsigned *ret_major, unsigned *ret_minor);

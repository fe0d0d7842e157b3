/* SPDX-License-Identifier: Apache-2.0 */
/* Finds whether a containerd asks image verifiers before each pull of the kubelet. Pure. Only its transfer service asks
 * them (core/transfer/local/pull.go); CRI pulls with that service since 2.1, unless CheckLocalImagePullConfigs()
 * (internal/cri/config/config.go) forbids it. Default folder: plugins/imageverifier/path_unix.go. */
#pragma once

#include <stdbool.h>

#define HF_IMAGE_VERIFIER_DIR "/opt/containerd/image-verifier/bin"

struct hf_image_runtime {
    char folder[256]; /* folder of the verifiers (bin_dir); "": unreadable */
    bool disabled;
    bool calls_none;
    char config_path[256]; /* where hosts.toml files are; or "" */
    char root[256];        /* containerd's data folder; "": default */
    unsigned local_pull;   /* settings that make CRI pull without the transfer service, as bits */
};

struct hf_image_imports {
    char path[8][256]; /* paths or patterns */
    unsigned n;
    bool lost;
};

/* Reads the text of a configuration file; call it for all files in order. *runtime begins with zeros and
 * HF_IMAGE_VERIFIER_DIR. */
void hf_image_runtime_read(struct hf_image_runtime *runtime, const char *toml, struct hf_image_imports *ret_imports);

/* Returns the name of one setting in `local_pull`, or NULL. */
const char *hf_image_runtime_local_pull(const struct hf_image_runtime *runtime);

/* Reads the version from "containerd github.com/containerd/containerd/v2 v2.1.4 0123abc". False: a text of another
 * form. */
bool hf_image_runtime_version(const char *text, unsigned *ret_major, unsigned *ret_minor);

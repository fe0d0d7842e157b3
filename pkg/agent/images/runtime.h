/* SPDX-License-Identifier: Apache-2.0 */
/* agent/images/runtime.h - does a containerd ask its image verifiers before each pull of the kubelet's? Pure.
 *
 * By containerd's source: the verifiers are called by the transfer service alone (core/transfer/local/pull.go), by
 * which CRI pulls since 2.1, unless use_local_image_pull is set or one of the settings of
 * internal/cri/config/config.go, CheckLocalImagePullConfigs() turns it on. The folder of the plugin has a default
 * (plugins/imageverifier/path_unix.go). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HF_IMAGE_VERIFIER_DIR "/opt/containerd/image-verifier/bin"

struct hf_image_runtime {
    char folder[256];      /* bin_dir; "": the setting cannot be read */
    bool disabled;         /* the plugin is among disabled_plugins */
    bool calls_none;       /* max_verifiers is 0: the verifiers are skipped */
    char config_path[256]; /* of the registries' hosts.toml; "": there is none */
    unsigned local_pull;   /* a bit for each setting by which CRI pulls without the transfer service */
};

/* What the `imports` of one file name. */
struct hf_image_imports {
    char path[8][256]; /* as it stands there: a path or a pattern */
    unsigned n;
    bool lost; /* there were more, longer ones, or no end of the list */
};

/* Begin with zeros and HF_IMAGE_VERIFIER_DIR as the folder, then read all files in order: later ones count more. */
void hf_image_runtime_read(struct hf_image_runtime *runtime, const char *toml, struct hf_image_imports *ret_imports);

/* A name among `local_pull`, or NULL: none. */
const char *hf_image_runtime_local_pull(const struct hf_image_runtime *runtime);

/* `text` as `containerd --version` prints it: "containerd github.com/containerd/containerd/v2 v2.1.4 0123abc". False:
 * another form. */
bool hf_image_runtime_version(const char *text, unsigned *ret_major, unsigned *ret_minor);

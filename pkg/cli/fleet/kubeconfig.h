/* SPDX-License-Identifier: Apache-2.0 */
/* Merges kubeconfig files as kubectl does: the first file with an entry or current-context wins; file names are
 * relative to their kubeconfig; options win over files. Pure. */
#pragma once

#include "codec/json.h"

struct hf_kubeconfig_options {
    const char *context, *cluster, *user;
    const char *server;
    const char *token;
    const char *ca_file;
    bool insecure;
};

struct hf_kubeconfig_file {
    const char *path;
    json_t *root; /* changed: relative file names get path's folder */
};

/* Borrows files and options. */
struct hf_kubeconfig_choice {
    json_t *config;      /* a kubeconfig with one context and no `exec`; the caller's */
    const json_t *exec;  /* the plugin (plugin.h), or NULL */
    const char *context; /* "" if none is chosen: options name the server or cluster */
    const char *path;
};

/* -EINVAL: an option names no entry, or nothing chooses a context. -EBADMSG: a wrong file. */
HF_MUST_USE int hf_kubeconfig_pick(struct hf_kubeconfig_file *files, size_t n,
                                   const struct hf_kubeconfig_options *options, struct hf_kubeconfig_choice *ret_choice,
                                   struct hf_err *err);

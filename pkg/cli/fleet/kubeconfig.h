/* SPDX-License-Identifier: Apache-2.0 */
/* cli/fleet/kubeconfig.h - merges kubeconfig files and picks the context, the cluster and the user as kubectl does.
 *
 * These are the rules of kubectl: the first file that has an entry or a current-context wins; file names in a
 * kubeconfig are relative to the folder of that kubeconfig; options win over files. There are two results: a kubeconfig
 * with one context for hf_kube_config_parse(), and the user's credential plugin (`exec`), which only the command line
 * runs (cli/fleet/plugin.h). Pure. */
#pragma once

#include "codec/json.h"

/* Options that win over the files. A NULL pointer means that the option is absent. */
struct hf_kubeconfig_options {
    const char *context, *cluster, *user; /* names of entries */
    const char *server;                   /* URL of the API server */
    const char *token;
    const char *ca_file; /* file with the certificate authority */
    bool insecure;       /* true accepts any certificate of the server */
};

/* One file of the list KUBECONFIG. */
struct hf_kubeconfig_file {
    const char *path;
    json_t *root; /* the parsed file; hf_kubeconfig_pick() makes relative file names in it absolute */
};

/* Text fields borrow from the trees of the files and from the options. */
struct hf_kubeconfig_choice {
    json_t *config;     /* kubeconfig with one context and without `exec`; the caller frees it with json_decref() */
    const json_t *exec; /* the user's `exec` object, or NULL */
    /* name of the context; "" if the options name a server or a cluster, and no option and no file chooses a context */
    const char *context;
    /* path of the file that holds the context, for error texts; without a context, the first file or "the options" */
    const char *path;
};

/* Merges the files and picks the entries. -EINVAL: an option names an entry that no file has, or no option and no file
 * chooses a context. -EBADMSG: a file is wrong. *err names the file and the field, and often suggests what to do. */
HF_MUST_USE int hf_kubeconfig_pick(struct hf_kubeconfig_file *files, size_t n,
                                   const struct hf_kubeconfig_options *options, struct hf_kubeconfig_choice *ret_choice,
                                   struct hf_err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's kubeconfigs: files separated by a line "---". Refused with a reason, or a choice that the parser of
 * kubeconfigs understands or refuses by name, and that never holds the credential plugin. */
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/kubeconfig.h"
#include "kube/api/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { MAX_FILES = 4 };

static void pick(struct hf_kubeconfig_file *files, size_t n, const struct hf_kubeconfig_options *options)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 22);
    struct hf_kube_config config = {.server = NULL};
    struct hf_kubeconfig_choice choice;
    struct hf_err err = HF_ERR_INIT;

    if (hf_kubeconfig_pick(files, n, options, &choice, &err) < 0) {
        if (err.code == 0 || err.cause[0] == '\0')
            abort();
        return;
    }
    if (choice.config == NULL || choice.context == NULL || choice.path == NULL ||
        hf_json_format(choice.config, &text) < 0)
        abort();
    const json_t *users = json_object_get(choice.config, "users");
    for (size_t i = 0; i < json_array_size(users); i++)
        if (hf_json_at(json_array_get(users, i), "user.exec") != NULL)
            abort();
    if (hf_kubeconfig_parse(hf_buf_view(&text), "/home/me/.kube/config", &config, &err) == 0)
        hf_kube_config_done(&config);
    json_decref(choice.config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const paths[MAX_FILES] = {"/home/me/.kube/config", "relative/config", "/config", ""};
    const struct hf_kubeconfig_options rows[] = {
        {.context = NULL},
        {.context = "b", .token = "t"},
        {.server = "https://server:6443", .insecure = true},
        {.cluster = "a", .user = "b", .ca_file = "ca.crt"},
    };

    for (size_t row = 0; row < HF_LEN(rows); row++) {
        struct hf_kubeconfig_file files[MAX_FILES];
        const char *at = (const char *)bytes, *end = at + n;
        size_t n_files = 0;
        while (n_files < MAX_FILES && at < end) {
            const char *stop = memmem(at, (size_t)(end - at), "\n---\n", 5);
            struct hf_view part = {at, (size_t)((stop != NULL ? stop : end) - at)};
            files[n_files] = (struct hf_kubeconfig_file){.path = paths[n_files]};
            n_files += hf_yaml_parse(part, NULL, &files[n_files].root, NULL) == 0;
            at = stop != NULL ? stop + 5 : end;
        }
        if (n_files > 0)
            pick(files, n_files, &rows[row]);
        for (size_t i = 0; i < n_files; i++)
            json_decref(files[i].root);
    }
    return 0;
}

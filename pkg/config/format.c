/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a configuration as YAML, so that a person sees what holds. */
#include <inttypes.h>
#include <stdio.h>

#include "api/meta.h"
#include "config/settings.h"

/* Adds a line "<before>"<text>"". A valid text has no control characters (pattern.h). */
static int add_text(struct hf_buf *out, const char *before, const char *text)
{
    int r = hf_buf_addf(out, "%s\"", before);

    for (const char *at = text; r == 0 && *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            r = hf_buf_add(out, "\\", 1);
        if (r == 0)
            r = hf_buf_add(out, at, 1);
    }
    return r == 0 ? hf_buf_add_str(out, "\"\n") : r;
}

static int add_list(struct hf_buf *out, const char *indent, const char *name, const char *const *list)
{
    static const char *const nothing[] = {NULL};
    int r;

    list = list != NULL ? list : nothing;
    r = hf_buf_addf(out, "%s%s:%s\n", indent, name, *list == NULL ? " []" : "");
    for (; r == 0 && *list != NULL; list++) {
        r = hf_buf_add_str(out, indent);
        if (r == 0)
            r = add_text(out, "- ", *list);
    }
    return r;
}

static int add_manifests(struct hf_buf *out, const struct hf_config *config, enum hf_config_scope scope)
{
    const struct hf_config_manifests *manifests = &config->manifests[scope];
    const char *indent = scope == HF_CONFIG_SIGNED ? "    " : "  ";
    int r = hf_buf_addf(out, "%smanifests:\n%sstaticPods: %s\n%scluster: %s\n", indent + 2, indent,
                        manifests->static_pods ? "true" : "false", indent, manifests->cluster ? "true" : "false");

    for (size_t i = 0; r == 0 && i < HF_CONFIG_MANIFEST_LISTS; i++)
        if (scope == HF_CONFIG_UNSIGNED || manifests->lists[i] != NULL)
            r = add_list(out, indent, hf_config_manifest_list_names[i], manifests->lists[i]);
    return r;
}

static int add_bounds(struct hf_buf *out, const struct hf_config *config, enum hf_config_scope scope)
{
    int r = hf_buf_addf(out, "%s:\n", scope == HF_CONFIG_SIGNED ? "signedPolicies" : "telemetry");

    for (size_t i = 0; r == 0 && i < HF_CONFIG_LISTS; i++)
        if (scope == HF_CONFIG_UNSIGNED || config->lists[scope][i] != NULL)
            r = add_list(out, "  ", hf_config_list_names[i], config->lists[scope][i]);
    if (r == 0)
        r = hf_buf_addf(out, "  maxSpool: %" PRIu64 "\n", hf_config_max_spool_bytes(config, scope));
    return r == 0 && scope == HF_CONFIG_SIGNED ? add_manifests(out, config, scope) : r;
}

static int add_field(struct hf_buf *out, const char *name, const char *text)
{
    char before[32];

    (void)snprintf(before, sizeof(before), "  %s: ", name);
    return text != NULL ? add_text(out, before, text) : 0;
}

static int add_artifact(struct hf_buf *out, const struct hf_config_artifact *item)
{
    const struct {
        const char *name, *text;
    } rows[] = {{"tokenFrom", item->node_token ? "node" : NULL},
                {"tokenFile", item->token_file},
                {"user", item->user},
                {"passwordFile", item->password_file},
                {"header", item->header},
                {"valueFile", item->value_file},
                {"clientCertificate", item->node_certificate ? "node" : NULL},
                {"certFile", item->cert_file},
                {"keyFile", item->key_file},
                {"caFile", item->ca_file}};
    int r = add_text(out, "- url: ", item->url);

    for (size_t i = 0; r == 0 && i < HF_LEN(rows); i++)
        r = add_field(out, rows[i].name, rows[i].text);
    return r == 0 && item->plain_http ? hf_buf_add_str(out, "  allowPlainHttp: true\n") : r;
}

static int add_artifacts(struct hf_buf *out, const struct hf_config *config)
{
    size_t n = hf_config_n_artifacts(config), n_mirrors = hf_config_n_mirrors(config);
    int r = hf_buf_addf(out, "artifacts:%s\n", n == 0 ? " []" : "");

    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_artifact(out, hf_config_artifact(config, i));
    if (r == 0)
        r = hf_buf_addf(out, "mirrors:%s\n", n_mirrors == 0 ? " []" : "");
    for (size_t i = 0; r == 0 && i < n_mirrors; i++) {
        r = add_text(out, "- prefix: ", hf_config_mirror(config, i)->prefix);
        if (r == 0)
            r = add_list(out, "  ", "to", hf_config_mirror(config, i)->to);
    }
    return r;
}

static int add_image_credentials(struct hf_buf *out, const struct hf_config *config)
{
    const struct hf_config_image_credentials item = hf_config_image_credentials(config);
    int r = 0;

    if (item.config != NULL)
        r = hf_buf_add_str(out, "imageCredentialProvider:\n");
    if (r == 0)
        r = add_field(out, "config", item.config);
    return r == 0 ? add_field(out, "binDir", item.folder) : r;
}

static int add_tpm(struct hf_buf *out, const struct hf_config *config)
{
    const struct hf_config_tpm tpm = hf_config_tpm(config);
    const char *comma = "";
    int r = hf_buf_addf(out, "tpm:\n  sealSecrets: %s\n  floors: %s\n", tpm.seals_secrets ? "true" : "false",
                        tpm.counts_floors ? "true" : "false");

    if (r == 0)
        r = add_text(out, "  tcti: ", tpm.tcti);
    if (r == 0)
        r = hf_buf_add_str(out, "  pcrs: [");
    for (unsigned i = 0; r == 0 && i < 32; i++) {
        if ((tpm.pcrs >> i & 1) == 0)
            continue;
        r = hf_buf_addf(out, "%s%u", comma, i);
        comma = ", ";
    }
    return r == 0 ? hf_buf_add_str(out, "]\n") : r;
}

static int add_share(struct hf_buf *out, const struct hf_config *config)
{
    const struct hf_config_share share = hf_config_share(config);
    const char *const names[] = {"  caFile: ", "  certFile: ", "  keyFile: "};
    const char *const files[] = {share.ca_file, share.cert_file, share.key_file};
    int r = hf_buf_addf(out, "share:\n  neighbours: %s\n  port: %" PRIu64 "\n  bytesPerSecond: %" PRIu64 "\n",
                        share.neighbours ? "true" : "false", share.port, share.bytes_per_s);

    for (size_t i = 0; r == 0 && i < HF_LEN(files); i++)
        r = files[i] != NULL ? add_text(out, names[i], files[i]) : 0;
    return r;
}

static int add_reserve(struct hf_buf *out, const struct hf_config *config)
{
    if (config->reserve_basis_points == UINT64_MAX)
        return hf_buf_addf(out, "diskReserve: %" PRIu64 "\n", config->reserve_bytes);
    int r = hf_buf_addf(out, "diskReserve: %g%%", (double)config->reserve_basis_points / 100);
    if (r == 0 && config->reserve_bytes != UINT64_MAX)
        r = hf_buf_addf(out, " # and at most %" PRIu64 " bytes", config->reserve_bytes);
    return r == 0 ? hf_buf_add_str(out, "\n") : r;
}

int hf_config_format(const struct hf_config *config, struct hf_buf *out)
{
    config = config != NULL ? config : &hf_config_defaults;
    int r = hf_buf_add_str(out, "apiVersion: " HF_API_GROUP_VERSION "\nkind: " HF_CONFIG_KIND "\n");

    if (r == 0)
        r = add_list(out, "", "updateRoots", config->roots);
    if (r == 0)
        r = config->exec != NULL ? add_list(out, "", "exec", config->exec)
                                 : hf_buf_add_str(out, "# exec: not given: any program that a signed release names\n");
    if (r == 0)
        r = config->units != NULL
                ? add_list(out, "", "units", config->units)
                : hf_buf_add_str(out, "# units: not given: any service that a signed release names\n");
    if (r == 0)
        r = add_manifests(out, config, HF_CONFIG_UNSIGNED);
    if (r == 0)
        r = add_artifacts(out, config);
    if (r == 0)
        r = add_image_credentials(out, config);
    if (r == 0)
        r = add_share(out, config);
    if (r == 0)
        r = config->static_pod_folder != NULL
                ? add_text(out, "staticPodFolder: ", config->static_pod_folder)
                : hf_buf_add_str(out, "# staticPodFolder: not given: the agent finds that of the kubelet\n");
    if (r == 0)
        r = hf_buf_addf(out, "clockResync: %s\n", config->refuses_clock_resync ? "false" : "true");
    if (r == 0)
        r = hf_buf_addf(out, "page: %s\n", hf_config_page_name(config->page));
    if (r == 0)
        r = add_tpm(out, config);
    if (r == 0)
        r = add_bounds(out, config, HF_CONFIG_UNSIGNED);
    if (r == 0)
        r = add_bounds(out, config, HF_CONFIG_SIGNED);
    if (r == 0)
        r = hf_buf_addf(out, "requireSigned: [%s%s%s]\n", config->requires_signed_policy ? "SyncPolicy" : "",
                        config->requires_signed_policy && config->requires_signed_manifests ? ", " : "",
                        config->requires_signed_manifests ? "Manifests" : "");
    return r == 0 ? add_reserve(out, config) : r;
}

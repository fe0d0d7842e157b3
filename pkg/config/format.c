/* Prints a configuration as YAML, so that a person sees what holds. */
#include <inttypes.h>

#include "api/meta.h"
#include "config/settings.h"

static int add_list(struct hf_buf *out, const char *indent, const char *name, const char *const *list)
{
    static const char *const nothing[] = {NULL};
    int r;

    list = list != NULL ? list : nothing;
    r = hf_buf_addf(out, "%s%s:%s\n", indent, name, *list == NULL ? " []" : "");
    for (; r == 0 && *list != NULL; list++)
        r = hf_buf_addf(out, "%s- \"%s\"\n", indent, *list);
    return r;
}

static int add_bounds(struct hf_buf *out, const struct hf_config *config, enum hf_config_scope scope)
{
    int r = hf_buf_addf(out, "%s:\n", scope == HF_CONFIG_SIGNED ? "signedPolicies" : "telemetry");

    for (size_t i = 0; r == 0 && i < HF_CONFIG_LISTS; i++)
        if (scope == HF_CONFIG_UNSIGNED || config->lists[scope][i] != NULL)
            r = add_list(out, "  ", hf_config_list_names[i], config->lists[scope][i]);
    return r == 0 ? hf_buf_addf(out, "  maxSpool: %" PRIu64 "\n", hf_config_max_spool_bytes(config, scope)) : r;
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
        r = add_bounds(out, config, HF_CONFIG_UNSIGNED);
    if (r == 0)
        r = add_bounds(out, config, HF_CONFIG_SIGNED);
    if (r == 0)
        r = hf_buf_addf(out, "requireSigned: [%s]\n", config->requires_signed_policy ? "SyncPolicy" : "");
    return r == 0 ? add_reserve(out, config) : r;
}

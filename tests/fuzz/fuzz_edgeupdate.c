/* SPDX-License-Identifier: Apache-2.0 */
/* An EdgeUpdate as YAML (so JSON too): refused with reasons, or something every reader of it can rely on. */
#include "api/admission.h"
#include "api/edgeupdate.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void use(const struct hf_edgeupdate *update, const json_t *json)
{
    const json_t *labels = hf_json_at(json, "metadata.labels");
    const struct hf_release *release = &update->release;
    uint64_t next = 0;

    if (strlen(release->digest) != 64 || release->install.path[0] != '/' || release->sequence == 0)
        abort();
    for (size_t i = 0; i < release->n_artifacts; i++)
        if (hf_release_artifact(release, release->artifacts[i].arch) != &release->artifacts[i] ||
            strlen(release->artifacts[i].sha256) != 64 || release->artifacts[i].size == 0)
            abort();
    for (size_t i = 0; i < release->n_checks; i++)
        if (release->checks[i].period_ns == 0 || release->checks[i].success_threshold == 0)
            abort();
    (void)hf_admission_allows(update, "node", labels);
    for (uint64_t day = 0; day < 400; day += 13)
        if (hf_windows_open(update->windows, update->n_windows, (20000 + day) * 86400 * HF_NS_PER_S, &next) &&
            update->n_windows == 0 && next != HF_NEVER)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct hf_issues issues;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    _cleanup_(hf_buf_done) struct hf_buf told = HF_BUF_INIT(700);
    struct hf_err err = HF_ERR_INIT;

    if (hf_yaml_parse((struct hf_view){(const char *)bytes, n}, NULL, &json, &err) < 0)
        return 0;
    int r = hf_edgeupdate_decode(json, &update, &issues);
    hf_issues_format(&issues, &told);
    if ((r == 0) != (issues.n_errors == 0) || (r == 0) != (update != NULL) || (r < 0) != (told.n > 0))
        abort();
    if (r == 0)
        use(update, json);
    return 0;
}

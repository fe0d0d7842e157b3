/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/stale_table.h"

#include <stdint.h>

enum column { FRESH, STALE, EXPIRED_HOLD, EXPIRED_CONTINUE, COLUMNS };

static const char *const column_names[COLUMNS] = {"Fresh", "Stale", "Expired, Hold", "Expired, Continue"};

#define D HF_STALE_DOES
#define W HF_STALE_WAITS
#define S HF_STALE_NEEDS_THE_SERVER

static const struct {
    const char *name;
    uint8_t cells[COLUMNS];
} rows[HF_STALE_ACTS] = {
    [HF_STALE_ACT_NEW_RELEASE] = {"start a new release", {D, D, W, D}},
    [HF_STALE_ACT_RUNNING_UPDATE] = {"finish or roll back a running update", {D, D, D, D}},
    [HF_STALE_ACT_RELEASE_DRIFT] = {"repair drift of a release", {D, D, D, D}},
    [HF_STALE_ACT_NEW_MANIFESTS] = {"apply new content of manifests", {D, D, W, D}},
    [HF_STALE_ACT_MANIFEST_DRIFT] = {"repair drift of manifests", {D, D, D, D}},
    [HF_STALE_ACT_PRUNE] = {"prune what manifests no longer have", {D, D, W, D}},
    [HF_STALE_ACT_LABELS] = {"write labels of the Node", {D, S, S, S}},
    [HF_STALE_ACT_TELEMETRY] = {"collect, keep and send telemetry", {D, D, D, D}},
    [HF_STALE_ACT_SECRET_ROTATION] = {"write the new content of a Secret", {D, S, S, S}},
    [HF_STALE_ACT_CLOCK_RESYNC] = {"ask for a resync of the clock", {D, D, D, D}},
    [HF_STALE_ACT_CERTIFICATE_RENEWAL] = {"renew the client certificate", {D, S, S, S}},
};

#undef D
#undef W
#undef S

enum hf_stale_answer hf_stale_table_answer(enum hf_stale_act act, enum hf_staleness staleness,
                                           enum hf_on_expiry on_expiry)
{
    enum column column = staleness == HF_STALE_FRESH          ? FRESH
                         : staleness == HF_STALE_STALE        ? STALE
                         : on_expiry == HF_ON_EXPIRY_CONTINUE ? EXPIRED_CONTINUE
                                                              : EXPIRED_HOLD;

    return (enum hf_stale_answer)rows[act].cells[column];
}

bool hf_stale_table_may(enum hf_stale_act act, enum hf_staleness staleness, enum hf_on_expiry on_expiry)
{
    return hf_stale_table_answer(act, staleness, on_expiry) != HF_STALE_WAITS;
}

int hf_stale_table_print(struct hf_buf *out)
{
    static const char *const words[HF_STALE_ANSWERS] = {
        [HF_STALE_DOES] = "yes", [HF_STALE_WAITS] = "waits", [HF_STALE_NEEDS_THE_SERVER] = "needs server"};
    int r = hf_buf_addf(out, "%-38s %-6s %-13s %-14s %s\n", "", column_names[FRESH], column_names[STALE],
                        column_names[EXPIRED_HOLD], column_names[EXPIRED_CONTINUE]);

    for (size_t i = 0; r == 0 && i < HF_STALE_ACTS; i++)
        r = hf_buf_addf(out, "%-38s %-6s %-13s %-14s %s\n", rows[i].name, words[rows[i].cells[FRESH]],
                        words[rows[i].cells[STALE]], words[rows[i].cells[EXPIRED_HOLD]],
                        words[rows[i].cells[EXPIRED_CONTINUE]]);
    return r;
}

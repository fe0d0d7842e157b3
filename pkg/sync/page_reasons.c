/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/page_reasons.h"

#include <errno.h>

#include "api/manifest_reason.h"
#include "api/update/reason.h"
#include "codec/json.h"
#include "sync/contact_reason.h"

/* The texts are those of the tables from which docs/reference/symptoms.md is made. */
struct row {
    const char *name, *means, *does;
};

#define UPDATE_ROW(name_, level_, meaning_, remedy_) {#name_, meaning_, remedy_},
#define MANIFEST_ROW(constant_, name_, meaning_) {name_, meaning_, NULL},
#define CONTACT_ROW(enumerator_, name_, remedy_) {name_, NULL, remedy_},

static const struct row updates[] = {HF_REASONS(UPDATE_ROW)};
static const struct row manifests[] = {HF_MANIFEST_REASONS(MANIFEST_ROW)};
static const struct row contacts[] = {HF_CONTACT_REASONS(CONTACT_ROW)};

static const struct {
    const char *key;
    const struct row *rows;
    size_t n;
} tables[] = {{"update", updates, HF_LEN(updates)},
              {"manifest", manifests, HF_LEN(manifests)},
              {"contact", contacts, HF_LEN(contacts)}};

static json_t *table_of(const struct row *rows, size_t n)
{
    json_t *table = json_object();

    for (size_t i = 0; i < n; i++)
        if (rows[i].name[0] != '\0' &&
            json_object_set_new(table, rows[i].name,
                                json_pack("{s:s*, s:s*}", "means", rows[i].means, "do", rows[i].does)) < 0) {
            json_decref(table);
            return NULL;
        }
    return table;
}

int hf_page_reasons(struct hf_buf *out)
{
    _cleanup_(hf_json_freep) json_t *all = json_object();

    for (size_t i = 0; i < HF_LEN(tables); i++)
        if (json_object_set_new(all, tables[i].key, table_of(tables[i].rows, tables[i].n)) < 0)
            return -ENOMEM;
    return hf_json_format(all, out);
}

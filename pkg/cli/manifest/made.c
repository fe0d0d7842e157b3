/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/manifest/made.h"

#include <errno.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "base/encoding/utf8.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "manifests/cluster/set.h"
#include "manifests/files/want.h"

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int print_file(struct hf_cli *cli, const struct hf_files_item *item, struct hf_err *err)
{
    bool text = memchr(item->bytes.p, '\0', item->bytes.n) == NULL && hf_utf8_valid(item->bytes.p, item->bytes.n);

    hf_cli_print_line(cli->out, "==> %s (%04o, %zu bytes%s) <==", item->rel, item->mode, item->bytes.n,
                      text ? "" : ", binary");
    int r = text ? hf_cli_print_content(cli, item->bytes, err) : 0;
    if (text && item->bytes.n > 0 && item->bytes.p[item->bytes.n - 1] != '\n')
        (void)fputc('\n', cli->out);
    return r;
}

static int print_files(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle,
                       struct hf_err *err)
{
    struct hf_manifest_outcome outcome = {.r = 0};
    struct hf_files_want want;
    /* With a known root, it looks at no folder of this machine; the part below the root is the same whatever it is. */
    int r = hf_files_want_make(cli->fs, "", entry, "", "/", bundle, &want, &outcome);

    if (r < 0) {
        r = hf_err_set(err, r == -ENOMEM ? ENOMEM : EBADMSG, "%s: %s", hf_manifest_reason_name(outcome.reason),
                       HF_CUT(220, outcome.message));
        hf_manifest_outcome_done(&outcome);
        return r;
    }
    for (size_t i = 0; r >= 0 && i < want.n; i++) {
        if (i > 0)
            (void)fputc('\n', cli->out);
        r = print_file(cli, &want.items[i], err);
    }
    hf_files_want_done(&want);
    return HF_MIN(r, 0);
}

/* ---- objects ----------------------------------------------------------------------------------------------------- */

static int print_object(struct hf_cli *cli, const struct hf_cluster_object *object, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(8 * HF_CLUSTER_MAX_OBJECT);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    char name[256];
    int r = hf_json_parse((struct hf_view){object->json, object->n_json}, NULL, &json, err);

    if (r == 0)
        r = hf_yaml_format(json, &text);
    if (r < 0)
        return hf_err_wrap(err, r, "print an object of '%.100s'", object->file);
    hf_cli_print_line(cli->out, "--- # %s, from %s", hf_cluster_id_text(&object->id, name, sizeof(name)), object->file);
    return hf_cli_print_content(cli, hf_buf_view(&text), err);
}

static int print_set(struct hf_cli *cli, const struct hf_cluster_set *set, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < set->n; i++)
        r = print_object(cli, &set->objects[i], err);
    return r;
}

static int print_objects(struct hf_cli *cli, const struct hf_manifest *entry, const struct hf_bundle *bundle,
                         struct hf_err *err)
{
    struct hf_cluster_set set;
    struct hf_err why = HF_ERR_INIT;
    int r = 0;

    hf_cluster_set_init(&set, entry->name);
    for (size_t i = 0; r == 0 && i < bundle->n; i++)
        r = hf_cluster_set_add(&set, bundle->files[i].path, bundle->files[i].bytes, &why);
    if (r == 0)
        r = hf_cluster_set_seal(&set, &why);
    if (r == 0)
        r = print_set(cli, &set, err);
    else if (r == -ENOMEM)
        *err = why;
    else
        r = hf_err_set(err, EBADMSG, "%s: %s",
                       hf_manifest_reason_name(r == -ENODATA ? HF_MANIFEST_REASON_SOURCE_EMPTY
                                               : r == -E2BIG ? HF_MANIFEST_REASON_SOURCE_TOO_LARGE
                                                             : HF_MANIFEST_REASON_NOT_MANIFESTS),
                       HF_CUT(220, HF_ERR_TEXT(&why)));
    hf_cluster_set_done(&set);
    return r;
}

int hf_cli_print_made(struct hf_cli *cli, const struct hf_manifest *entry, struct hf_bundle *bundle, struct hf_err *err)
{
    if (entry->to != HF_MANIFEST_TO_CLUSTER)
        return print_files(cli, entry, bundle, err);
    int r = print_objects(cli, entry, bundle, err);
    hf_bundle_free(bundle);
    return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/node/status_local.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/format.h"
#include "cli/parts.h"
#include "node/clock.h"
#include "os/file.h"
#include "update/state/journal.h"

static int put_text(json_t *item, const char *key, const char *text, struct hf_err *err)
{
    return text[0] != '\0' ? hf_cli_put(item, key, hf_cli_json_text(text), err) : 0;
}

static int put_number(json_t *item, const char *key, uint64_t number, struct hf_err *err)
{
    return number != 0 ? hf_cli_put(item, key, json_integer((json_int_t)number), err) : 0;
}

static int describe(json_t *item, const struct hf_journal *j, struct hf_err *err)
{
    char time[HF_TIME_TEXT];
    int r = put_text(item, "phase", hf_phase_name(j->phase), err);

    if (r == 0)
        r = put_text(item, "version", j->version, err);
    if (r == 0)
        r = put_text(item, "installedVersion", hf_journal_installed(j), err);
    if (r == 0)
        r = put_number(item, "sequence", j->sequence, err);
    if (r == 0)
        r = put_text(item, "digest", j->digest, err);
    if (r == 0)
        r = put_text(item, "from", j->from, err);
    if (r == 0)
        r = put_text(item, "method", hf_update_method_name(j->method), err);
    if (r == 0)
        r = put_number(item, "bytesFetched", j->bytes_fetched, err);
    if (r == 0)
        r = put_number(item, "attempts", j->attempts, err);
    /* The journal records that an update waits, but not for what (admission, a window, a hold). */
    bool waits = j->phase == HF_PHASE_WAITING && j->reason == HF_R_Queued;
    if (r == 0)
        r = put_text(item, "reason", waits ? "" : hf_reason_name(j->reason), err);
    if (r == 0)
        r = put_text(item, "message",
                     waits ? "the journal does not record what it waits for: see the EdgeNode" : j->message, err);
    if (r == 0 && j->time_unix_ns != 0)
        r = put_text(item, "time", hf_format_time(j->time_unix_ns, time), err);
    return r;
}

/* Reports an unreadable journal as a message, so that it hides no other update. */
static int add_update(struct hf_cli *cli, const char *state, const char *name, json_t *updates, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_JOURNAL_MAX_BYTES);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/updates/%s/journal", state, name);
    _cleanup_(hf_json_freep) json_t *kept = NULL;
    struct hf_journal journal = {.phase = HF_PHASE_IDLE};
    struct hf_err why = HF_ERR_INIT;
    char said[256];

    if (path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(cli->fs, path, &text, &why);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r == 0)
        r = hf_journal_parse(hf_buf_view(&text), &journal, &kept, &why);
    json_t *item = json_object();
    int put = put_text(item, "name", name, err);
    if (put == 0 && r == 0)
        put = describe(item, &journal, err);
    else if (put == 0)
        put = put_text(item, "message", hf_err_text(&why, said, sizeof(said)), err);
    if (put < 0) {
        json_decref(item);
        return put;
    }
    return hf_cli_append(updates, item, err);
}

static int add_updates(struct hf_cli *cli, const char *state, json_t *updates, struct hf_err *err)
{
    _cleanup_(hf_freep) char *folder = hf_asprintf("%s/updates", state);
    struct dirent **names = NULL;
    int n = folder != NULL ? scandir(folder, &names, NULL, alphasort) : -1;
    int r = 0;

    if (folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (n < 0)
        return hf_err_sys(err, -errno, "read '%s'", folder);
    for (int i = 0; i < n; i++) {
        if (r == 0 && names[i]->d_name[0] != '.')
            r = add_update(cli, state, names[i]->d_name, updates, err);
        free(names[i]);
    }
    free(names);
    return r;
}

static int add_contact(struct hf_cli *cli, const char *state, json_t *node, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLOCK_FILE_MAX);
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/clock", state);
    struct hf_clock_file clock = {0};
    char time[HF_TIME_TEXT];

    if (path == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    int r = hf_file_read(cli->fs, path, &text, NULL);
    if (r == 0)
        r = hf_clock_file_parse(hf_buf_view(&text), &clock, NULL);
    if (r < 0 && r != -ENOENT)
        return hf_cli_put(node, "status.contact.state", json_string("Unknown"), err);
    if (clock.contact_unix_ns == 0)
        return 0;
    return hf_cli_put(node, "status.contact.lastTime", json_string(hf_format_time(clock.contact_unix_ns, time)), err);
}

int hf_cli_status_local(struct hf_cli *cli, const char *state, json_t **ret_node, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *node = json_object();
    json_t *updates = json_array();
    int r = add_updates(cli, state, updates, err);

    if (r < 0) {
        json_decref(updates);
        return r;
    }
    r = hf_cli_put(node, "apiVersion", json_string(HF_API_GROUP_VERSION), err);
    if (r == 0)
        r = hf_cli_put(node, "kind", json_string("EdgeNode"), err);
    int put = hf_cli_put(node, "status.updates", updates, err);
    r = r == 0 ? put : r;
    if (r == 0)
        r = add_contact(cli, state, node, err);
    if (r == 0)
        *ret_node = hf_steal(node);
    return r;
}

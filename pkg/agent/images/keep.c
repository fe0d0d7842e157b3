/* SPDX-License-Identifier: Apache-2.0 */
/* Which list is in place: the one of the highest sequence that ever came to this node, whatever its policy is called.
 * Labels of a Node, priorities and the deletion of objects are in the hands of whoever has the cluster, and each of
 * them could put another signed list into effect, such as an old one with an image that has a hole. So lists of all
 * policies share one count, and the file is its floor.
 *
 * `since` of the file moves with the lower bound of the time, a day at a time: a node whose clock starts in 1970 after
 * a year without power judges by the last day on which the agent ran. */
#include "agent/images/keep.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "os/dir.h"
#include "os/file.h"
#include "verifier/verify.h"

enum { DAY_S = 24 * 3600, MAX_FILE = HF_IMAGE_LIST_HEADER + HF_IMAGE_LIST_MAX * HF_IMAGE_LIST_ROW };

/* The digests without "sha256:", sorted, each once. Fills in list->n. */
static int format_rows(const json_t *allowed, struct hf_image_list *list, struct hf_buf *out)
{
    size_t n = json_array_size(allowed);
    _cleanup_(hf_freep) const char **digests = calloc(n + 1, sizeof(*digests));
    int r = digests == NULL ? -ENOMEM : 0;

    list->n = 0;
    for (size_t i = 0; r == 0 && i < n; i++)
        digests[i] = json_string_value(json_array_get(allowed, i)) + sizeof("sha256:") - 1;
    if (r == 0)
        qsort(digests, n, sizeof(*digests), hf_array_by_string);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (i > 0 && strcmp(digests[i - 1], digests[i]) == 0)
            continue;
        r = hf_buf_addf(out, "%s\n", digests[i]);
        list->n++;
    }
    return r;
}

static int write_file(const struct hf_agent_env *env, const char *path, const struct hf_image_list *list,
                      const struct hf_buf *rows, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_FILE);
    char header[HF_IMAGE_LIST_HEADER], folder[PATH_MAX];
    int r = hf_buf_add(&text, header, hf_image_list_header(list, header));

    if (r == 0)
        r = hf_buf_add(&text, rows->p, rows->n);
    if (r < 0)
        return hf_err_sys(err, r, "make the list of images");
    (void)hf_dir_of_path(path, folder, sizeof(folder));
    r = hf_dir_make(env->world.fs, folder, 0700, err);
    return r < 0 ? r : hf_file_replace(env->world.fs, path, text.p, text.n, 0600, err);
}

/* The file has these rows. */
static bool has_rows(const struct hf_agent_env *env, const char *path, const struct hf_image_list *list,
                     const struct hf_buf *rows)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_FILE);

    return hf_file_read(env->world.fs, path, &text, NULL) == 0 && text.n == list->offset + rows->n &&
           memcmp(text.p + list->offset, rows->p, rows->n) == 0;
}

static void refuse(struct hf_image_keep *keep, const char *reason, const struct hf_image_list *wanted)
{
    keep->reason = reason;
    (void)snprintf(keep->message, sizeof(keep->message),
                   "SyncPolicy '%.80s' (sequence %ju) has a list, but that of '%.80s' (sequence %ju) stays: sign it "
                   "with a higher sequence",
                   wanted->policy, (uintmax_t)wanted->sequence, keep->list.policy, (uintmax_t)keep->list.sequence);
}

/* True: the wanted list belongs into the file. */
static bool may_replace(struct hf_image_keep *keep, const struct hf_agent_env *env, const char *path,
                        const struct hf_image_list *wanted, const struct hf_buf *rows)
{
    const struct hf_image_list *now = &keep->list;

    if (wanted->sequence > now->sequence)
        return true;
    bool same = wanted->expires_s == now->expires_s && wanted->n == now->n && has_rows(env, path, now, rows);
    if (wanted->sequence < now->sequence || (!same && strcmp(wanted->policy, now->policy) != 0)) {
        refuse(keep, "ListOlder", wanted);
        return false;
    }
    return !same || wanted->since_s >= now->since_s + DAY_S;
}

static void take(struct hf_image_keep *keep, const struct hf_agent_env *env, const char *path,
                 const struct hf_policy_section *section, const struct hf_policy_images *images)
{
    _cleanup_(hf_buf_done) struct hf_buf rows = HF_BUF_INIT(MAX_FILE);
    const struct hf_time_range range = hf_clock_range(env->world.clock);
    struct hf_image_list wanted = {.sequence = section->from->sequence,
                                   .since_s = range.earliest_unix_ns / HF_NS_PER_S,
                                   .expires_s = images->allowed_expires_unix_ns / HF_NS_PER_S};
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(wanted.policy, sizeof(wanted.policy), "%s", section->from->name);
    int r = format_rows(images->allowed, &wanted, &rows);
    if (r < 0)
        (void)hf_err_sys(&err, r, "make the list of images");
    if (r == 0 && keep->present && !may_replace(keep, env, path, &wanted, &rows))
        return;
    if (r == 0)
        r = write_file(env, path, &wanted, &rows, &err);
    if (r < 0) {
        keep->reason = "ListNotWritten";
        (void)hf_err_text(&err, keep->message, sizeof(keep->message));
        hf_log_err(env->world.log, HF_LOG_ERROR, "images.list_not_written", "file", path, &err);
        return;
    }
    hf_log(env->world.log, HF_LOG_INFO, "images.list_written", HF_S("policy", wanted.policy),
           HF_D("sequence", wanted.sequence), HF_D("images", wanted.n));
    keep->list = wanted;
    keep->present = true;
}

static enum hf_image_verdict look(const struct hf_agent_env *env, const char *path, struct hf_image_list *ret_list)
{
    int fd;
    enum hf_image_verdict verdict = hf_image_list_open(path, env->params->uid, &fd, ret_list);

    if (fd >= 0)
        (void)close(fd);
    return verdict;
}

void hf_image_keep(struct hf_image_keep *keep, const struct hf_agent_env *env, const struct hf_policy_set *set)
{
    const struct hf_policy_section *section = hf_policy_set_find(set, "images.allow");
    char path[PATH_MAX];
    enum hf_image_verdict verdict = look(env, hf_home_path(env->params->home, HF_VERIFY_LIST, path), &keep->list);

    keep->reason = NULL;
    keep->present = verdict == HF_IMAGE_ALLOWED;
    if (verdict != HF_IMAGE_ALLOWED && verdict != HF_IMAGE_LIST_MISSING) {
        keep->reason = hf_image_list_verdict_name(verdict);
        (void)snprintf(keep->message, sizeof(keep->message), "%s", hf_image_list_verdict_text(verdict));
    }
    /* One that cannot be read may have a higher sequence. */
    if (section == NULL || !section->is_signed || verdict == HF_IMAGE_LIST_UNREADABLE)
        return;
    keep->reason = NULL;
    take(keep, env, path, section, &set->effective->images);
}

bool hf_image_keep_has(const char *path, uid_t uid, const char *digest)
{
    struct hf_image_list list;
    int fd;
    enum hf_image_verdict verdict = hf_image_list_open(path, uid, &fd, &list);

    if (verdict == HF_IMAGE_ALLOWED) {
        list.expires_s = UINT64_MAX;
        verdict = hf_image_list_judge(fd, &list, digest, 0);
        (void)close(fd);
    }
    return verdict == HF_IMAGE_ALLOWED;
}

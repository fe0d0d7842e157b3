/* SPDX-License-Identifier: Apache-2.0 */
/* One archive: download, verify, unpack.
 *
 *     fetch (steps/fetch.h) --> a turn (turns.h) --> a job: SHA-256, unarchive, remove the file --> done()
 *
 * The download is a file below the state folder, so it resumes after a power cut. Nothing parses it before its
 * digest is right. The job removes it in either case, except where the disk could not read it: one error may pass.
 * After HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE attempts in a row that met -EIO the next one removes it, too, because a
 * worn-out block does not heal, and the archive has to go to other blocks.
 *
 * `trouble` belongs to the source and outlives the download: it counts what came for nothing, so that an archive
 * which never matches costs a metered link less each time. A job may outlive the download: destroy() is called by
 * the last. */
#include "manifests/source/archive_download.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/source/turns.h"
#include "manifests/source/unarchive.h"
#include "os/file.h"
#include "steps/fetch.h"
#include "steps/fetch_record.h"

enum {
    HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED = 2 * HF_ARCHIVE_DOWNLOAD_MAX_BYTES,
    HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE = 5,
};

/* After a download for nothing (wrong digest or size, or more than HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED through broken
 * connections); doubles up to 64 times, for metered links and worn cards. */
#define HF_ARCHIVE_DOWNLOAD_PAUSE_NS (300 * HF_NS_PER_S)

enum { READ_STEP = 64 << 10 };
#define DISK_WAIT_NS (60 * HF_NS_PER_S)

struct hf_archive_download {
    struct hf_archive_download_params p; /* its strings are copies, in `texts` */
    const struct hf_fs_ops *fs;          /* for the job, which may outlive `env` */
    struct hf_log *log;
    const struct hf_config *config;
    char *texts[7];
    size_t n_texts;
    char part[PATH_MAX], target[PATH_MAX];
    const char *roots[2];
    struct hf_fetch *fetch;      /* NULL when it has ended */
    struct hf_source_turn *turn; /* to unpack; NULL: none is asked for, or the bundle has it */
    bool stopped;                /* `takes` has said no */
    struct hf_job job;
    bool busy, freed;
    bool last_try; /* if the disk cannot read the file, it is downloaded again */
    /* out of the job */
    int r;
    bool keep;       /* the download stays on disk, because this failure may pass */
    bool unreadable; /* the disk could not read the download */
    struct hf_bundle *bundle;
    struct hf_source_failure failure;
};

static void destroy(void *arg)
{
    struct hf_archive_download *download = arg;

    hf_bundle_free(download->bundle);
    hf_source_turn_free(download->turn);
    for (size_t i = 0; i < download->n_texts; i++)
        free(download->texts[i]);
    free(download);
}

/* ---- the job: verify, unpack, clean up --------------------------------------------------------------------------- */

static int unreadable(struct hf_archive_download *download, int r)
{
    download->keep = true;
    (void)hf_err_sys(&download->failure.err, r, "read '%s'", download->part);
    return hf_source_blame(&download->failure, HF_MANIFEST_REASON_SOURCE_UNREACHABLE, r);
}

/* Reads the whole file, and passes each piece to `take`. */
static int each_piece(struct hf_archive_download *download, int fd, int (*take)(void *arg, const char *bytes, size_t n),
                      void *arg)
{
    const struct hf_fs_ops *fs = download->fs;
    _cleanup_(hf_freep) char *bytes = malloc(READ_STEP);
    uint64_t at = 0;

    if (bytes == NULL)
        return unreadable(download, -ENOMEM);
    for (;;) {
        ssize_t n = fs->pread(fs->ctx, fd, bytes, READ_STEP, at);
        if (n <= 0)
            return n < 0 ? unreadable(download, (int)n) : 0;
        int r = take(arg, bytes, (size_t)n);
        if (r < 0)
            return r;
        at += (uint64_t)n;
    }
}

static int hash_piece(void *arg, const char *bytes, size_t n)
{
    hf_sha256_update(arg, bytes, n);
    return 0;
}

/* A login page or an error page begins so, and no archive does. */
static bool is_web_page(const struct hf_archive_download *download, int fd)
{
    const struct hf_fs_ops *fs = download->fs;
    char first = '\0';

    return fs->pread(fs->ctx, fd, &first, 1, 0) == 1 && first == '<';
}

static int verify(struct hf_archive_download *download, int fd)
{
    char hex[HF_SHA256_HEX];
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    int r = each_piece(download, fd, hash_piece, &hash);
    if (r < 0)
        return r;
    if (strcmp(hf_sha256_final_hex(&hash, hex), download->p.digest) == 0)
        return 0;
    return hf_failure_set(&download->failure, HF_MANIFEST_REASON_DIGEST_MISMATCH, EBADMSG,
                          "the archive has the digest sha256:%.64s, but the entry or Flux names sha256:%.64s%s", hex,
                          download->p.digest,
                          is_web_page(download, fd) ? "; it is a web page, such as that of a login" : "");
}

struct unpacking {
    struct hf_unarchive *unarchive;
    struct hf_source_failure *failure;
};

static int unpack_piece(void *arg, const char *bytes, size_t n)
{
    struct unpacking *unpacking = arg;

    return hf_unarchive_feed(unpacking->unarchive, bytes, n, unpacking->failure);
}

static int unpack(struct hf_archive_download *download, int fd)
{
    const struct hf_unarchive_params params = {.sub_path = download->p.sub_path, .drop_top = download->p.drop_top};
    _cleanup_(hf_unarchive_freep) struct hf_unarchive *unarchive = hf_unarchive_new(&params);
    struct unpacking unpacking = {unarchive, &download->failure};

    if (unarchive == NULL)
        return unreadable(download, -ENOMEM);
    int r = each_piece(download, fd, unpack_piece, &unpacking);
    return r < 0 ? r : hf_unarchive_finish(unarchive, &download->bundle, &download->failure);
}

static void work(struct hf_job *job)
{
    struct hf_archive_download *download = hf_container_of(job, struct hf_archive_download, job);
    const struct hf_fs_ops *fs = download->fs;
    int fd = fs->openat(fs->ctx, AT_FDCWD, download->part, O_RDONLY | O_NOFOLLOW, 0, HF_FS_ANY);

    download->r = fd < 0 ? unreadable(download, fd) : verify(download, fd);
    if (download->r == 0)
        download->r = unpack(download, fd);
    download->keep = download->keep || download->r == -ENOMEM;
    download->unreadable = download->r == -EIO;
    if (download->unreadable && download->last_try)
        download->keep = false;
    if (fd >= 0)
        (void)fs->close(fs->ctx, fd);
    if (download->keep)
        return;
    /* A file that cannot be removed only takes space; the next download takes its place. */
    struct hf_err ignored = HF_ERR_INIT;
    if (hf_fetch_record_remove(fs, download->p.work_dir, &ignored) == 0 &&
        hf_file_remove(fs, download->part, &ignored) < 0)
        hf_log_err(download->log, HF_LOG_WARNING, "manifests.leftover", "file", download->part, &ignored);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* Frees the archive, and then calls its owner. */
static void finish(struct hf_archive_download *download, bool again, uint64_t retry_after_ns)
{
    struct hf_archive_download_params p = download->p;
    struct hf_source_failure failure = download->failure;
    struct hf_bundle *bundle = hf_steal(download->bundle);

    destroy(download);
    p.done(p.arg, bundle, &failure, again, retry_after_ns);
}

/* Returns true if the received bytes were for nothing, and counts that. */
static bool was_wasted(struct hf_archive_download *download)
{
    struct hf_archive_trouble *trouble = download->p.trouble;
    enum hf_manifest_reason reason = download->failure.reason;
    bool wasted = reason == HF_MANIFEST_REASON_DIGEST_MISMATCH || reason == HF_MANIFEST_REASON_SOURCE_TOO_LARGE ||
                  reason == HF_MANIFEST_REASON_SOURCE_TRUNCATED || trouble->received > HF_ARCHIVE_DOWNLOAD_MAX_RECEIVED;

    if (wasted) {
        trouble->wasted++;
        trouble->received = 0;
    }
    return wasted;
}

bool hf_archive_download_waits(const struct hf_manifest_env *env, struct hf_source_failure *failure,
                               uint64_t *ret_wait_ns)
{
    static const struct {
        enum hf_manifest_reason reason;
        const char *text;
    } rows[] = {
        [HF_LINK_WINDOW_CLOSED] = {HF_MANIFEST_REASON_WINDOW_CLOSED, "no window of spec.connectivity is open"},
        [HF_LINK_CLOCK_UNSURE] = {HF_MANIFEST_REASON_CLOCK_UNSURE,
                                  "the time is not sure enough to know if a window of spec.connectivity is open"},
        [HF_LINK_QUOTA_USED] = {HF_MANIFEST_REASON_LINK_QUOTA_USED, "spec.connectivity.maxBytesPerDay is used up"},
    };
    uint64_t wait_ns = 0;
    enum hf_link link = env->link != NULL ? env->link(env->link_arg, &wait_ns) : HF_LINK_OPEN;

    if (env->no_space || env->writes_used_up) {
        *ret_wait_ns = DISK_WAIT_NS;
        (void)hf_failure_set(failure, env->no_space ? HF_MANIFEST_REASON_NO_SPACE : HF_MANIFEST_REASON_CONTENT_PACED,
                             ENOSPC, "the download of the archive waits: %s",
                             env->no_space ? "the disk of the agent's state is critically full"
                                           : "the agent may write no more today (spec.disk.writeBudget)");
        return true;
    }
    if (link == HF_LINK_OPEN)
        return false;
    *ret_wait_ns = wait_ns;
    (void)hf_failure_set(failure, rows[link].reason, EAGAIN, "the download of the archive waits: %s", rows[link].text);
    return true;
}

static uint64_t pause_ns(const struct hf_archive_download *download)
{
    return HF_ARCHIVE_DOWNLOAD_PAUSE_NS << HF_MIN(download->p.trouble->wasted, 6U);
}

static void worked(struct hf_job *job, int cancelled)
{
    struct hf_archive_download *download = hf_container_of(job, struct hf_archive_download, job);

    download->busy = false;
    if (download->freed) {
        destroy(download);
        return;
    }
    if (cancelled)
        download->r = unreadable(download, -ECANCELED);
    bool lost = download->unreadable && !download->keep;
    if (download->bundle != NULL)
        download->bundle->turn = hf_steal(download->turn);
    struct hf_archive_trouble *trouble = download->p.trouble;
    bool wrong = download->failure.reason == HF_MANIFEST_REASON_DIGEST_MISMATCH;
    bool elsewhere = wrong && hf_access_blame(download->p.env->access, download->p.digest); /* a mirror lied */
    bool costly = !elsewhere && (lost || wrong);
    uint64_t pause = costly ? pause_ns(download) : 0;
    trouble->unreadable = download->unreadable && !lost ? trouble->unreadable + 1 : 0;
    if (download->bundle != NULL)
        *trouble = (struct hf_archive_trouble){.wasted = 0};
    else if (!elsewhere)
        (void)was_wasted(download);
    finish(download, download->keep || costly || elsewhere, pause);
}

/* ---- the turn to unpack ------------------------------------------------------------------------------------------ */

static void not_begun(struct hf_archive_download *download, int r)
{
    (void)unreadable(download, r);
    finish(download, true, 0);
}

static void begin(void *arg)
{
    struct hf_archive_download *download = arg;

    download->stopped = download->p.takes != NULL && !download->p.takes(download->p.takes_arg);
    if (download->stopped) {
        hf_source_turn_free(hf_steal(download->turn));
        return;
    }
    download->job = (struct hf_job){.work = work, .done = worked};
    int r = hf_job_submit(download->p.env->world.sched, &download->job);
    download->busy = r == 0;
    if (r < 0)
        not_begun(download, r);
}

static void ask_turn(struct hf_archive_download *download)
{
    int r = hf_source_turn_ask(download->p.turns, begin, download, &download->turn);

    if (r < 0)
        not_begun(download, r);
}

void hf_archive_download_ready(struct hf_archive_download *download)
{
    if (download == NULL || !download->stopped)
        return;
    download->stopped = false;
    ask_turn(download);
}

/* ---- the download ------------------------------------------------------------------------------------------------ */

static enum hf_manifest_reason reason_of(const struct hf_archive_download *download, const struct hf_failure *failure)
{
    if (failure->err.code == EROFS)
        return HF_MANIFEST_REASON_READ_ONLY_FILE_SYSTEM;
    switch (failure->reason) {
    case HF_R_DiskFull:
        return HF_MANIFEST_REASON_NO_SPACE;
    case HF_R_StateNotWritable:
        return failure->err.code == ENOSPC ? HF_MANIFEST_REASON_NO_SPACE : HF_MANIFEST_REASON_WRITE_FAILED;
    case HF_R_ArtifactTooLong:
        return download->p.size != 0 ? HF_MANIFEST_REASON_DIGEST_MISMATCH : HF_MANIFEST_REASON_SOURCE_TOO_LARGE;
    case HF_R_ArtifactTooShort:
        return HF_MANIFEST_REASON_SOURCE_TRUNCATED;
    case HF_R_DownloadRefused:
        return failure->err.code == ENOENT ? HF_MANIFEST_REASON_SOURCE_GONE : HF_MANIFEST_REASON_SOURCE_UNREACHABLE;
    default:
        return HF_MANIFEST_REASON_SOURCE_UNREACHABLE;
    }
}

static void fetched(void *arg, int r, const struct hf_failure *failure, uint64_t retry_after_ns,
                    HF_UNUSED bool hopeless)
{
    struct hf_archive_download *download = arg;

    /* an operator may put the file there at any time */
    download->fetch = NULL;
    if (r == 0) {
        ask_turn(download);
        return;
    }
    download->failure = (struct hf_source_failure){.reason = reason_of(download, failure), .err = failure->err};
    if (download->failure.reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE)
        (void)hf_archive_download_waits(download->p.env, &download->failure, &retry_after_ns);
    const char *from = strstr(failure->err.cause, " from ");
    if (download->failure.reason == HF_MANIFEST_REASON_SOURCE_GONE && from != NULL)
        (void)hf_err_set(&download->failure.err, ENOENT, "'%s' (%.*s) does not exist", from + strlen(" from "),
                         (int)(from - failure->err.cause), failure->err.cause);
    uint64_t pause = pause_ns(download);
    if (was_wasted(download))
        retry_after_ns = HF_MAX(retry_after_ns, pause);
    finish(download, true, retry_after_ns);
}

/* ---- the beginning ----------------------------------------------------------------------------------------------- */

static uint64_t reserve(void *arg, uint64_t disk_bytes)
{
    const struct hf_archive_download *download = arg;

    return hf_config_disk_reserve_bytes(download->config, disk_bytes);
}

static void count_received(void *arg, uint64_t bytes, bool before)
{
    const struct hf_archive_download *download = arg;

    if (!before && !download->freed) /* the owner, who has the number, may be gone */
        download->p.trouble->received += bytes;
}

static const char *keep(struct hf_archive_download *download, const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    *failed = *failed || (text != NULL && copy == NULL);
    download->texts[download->n_texts++] = copy;
    return copy;
}

int hf_archive_download_start(const struct hf_archive_download_params *params,
                              struct hf_archive_download **ret_download, struct hf_err *err)
{
    struct hf_archive_download *download = calloc(1, sizeof(*download));
    char name[NAME_MAX + 1];
    bool failed = false;

    if (download == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    download->p = *params;
    download->fs = params->env->world.fs;
    download->log = params->env->world.log;
    download->config = params->env->config;
    download->last_try = params->trouble->unreadable >= HF_ARCHIVE_DOWNLOAD_MAX_UNREADABLE;
    download->p.entry = keep(download, params->entry, &failed);
    download->p.work_dir = keep(download, params->work_dir, &failed);
    download->p.url = keep(download, params->url, &failed);
    download->p.host = keep(download, params->host, &failed);
    download->p.digest = keep(download, params->digest, &failed);
    download->p.sub_path = keep(download, params->sub_path, &failed);
    (void)hf_target_file_name(params->entry, HF_TARGET_PART, name);
    int n = snprintf(download->part, sizeof(download->part), "%s/%s", params->work_dir, name);
    (void)snprintf(download->target, sizeof(download->target), "%s/archive", params->work_dir);
    download->roots[0] = keep(download, params->env->state_dir, &failed);
    const struct hf_fetch_params fetch = {
        .clock = params->env->world.clock,
        .sched = params->env->world.sched,
        .http = params->env->bulk_http != NULL ? params->env->bulk_http : params->env->http,
        .target = {.fs = params->env->world.fs,
                   .roots = download->roots,
                   .path = download->target,
                   .release = download->p.entry,
                   .uid = params->env->uid},
        .access = params->host == NULL ? params->env->access : NULL, /* a Service of the cluster has neither */
        .folder = download->p.work_dir,
        .url = download->p.url,
        .host = download->p.host,
        .key = download->p.digest,
        .exact = params->size != 0,
        .at_most = params->size == 0,
        .size = params->size != 0 ? params->size : HF_ARCHIVE_DOWNLOAD_MAX_BYTES,
        .reserve = reserve,
        .moved = count_received,
        .done = fetched,
        .arg = download,
    };
    int r = failed ? hf_err_set(err, ENOMEM, "out of memory")
            : n >= (int)sizeof(download->part) - 16
                ? hf_err_set(err, ENAMETOOLONG, "'%s' is too long", params->work_dir)
                : hf_fetch_start(&fetch, &download->fetch, err);
    if (r < 0) {
        destroy(download);
        return r;
    }
    *ret_download = download;
    return 0;
}

void hf_archive_download_free(struct hf_archive_download *download)
{
    if (download == NULL)
        return;
    download->freed = true;
    if (download->fetch != NULL)
        hf_fetch_free(hf_steal(download->fetch), destroy, download);
    else if (!download->busy)
        destroy(download);
}

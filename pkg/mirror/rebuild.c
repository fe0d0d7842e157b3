/* SPDX-License-Identifier: Apache-2.0 */
/* A delta that arrives soon is compared with its digest before it is used, so that a damaged one costs no pull. On a
 * slow link the worker begins before: it reads in order, and waits for what is to come. What it makes leaves at once;
 * the layer's own digest decides in any case.
 *
 * The worker and the loop share the files: the worker reads of the delta what `arrived` says, the loop of the new file
 * what `written` says. The loop looks at it by a timer, since a worker can tell it nothing before it ends. Who frees a
 * rebuild whose worker runs only asks it to stop; it is freed when the worker has.
 *
 * Scratch files have no names, so that the kernel removes them with the process. */
#include "mirror/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "mirror/store.h"
#include "os/room.h"
#include "pack/deep/scratch.h"
#include "pack/image.h"

#define CONNECT_NS (5 * HF_NS_PER_S)
#define TICK_NS (20 * HF_NS_PER_MS)
#define SOON_NS (5 * HF_NS_PER_S) /* what has not arrived by then is applied while it does */
/* Once the delta is here, making the layer may take this long: a small delta can ask for work without end. A slow node
 * is ten times as fast. */
#define MAKE_NS (30 * 60 * HF_NS_PER_S)
#define MAKE_BYTES_PER_S (64 << 10)

struct hf_mirror_rebuild {
    struct hf_mirror_rebuild_params p; /* what is borrowed is NULL */
    char sha256[HF_SHA256_HEX];        /* of the delta */
    uint64_t delta_size, size;
    struct hf_mirror_call *call; /* NULL: the delta is here, and right */
    struct hf_timer *timer;
    struct hf_sha256 hash;
    uint64_t told;              /* bytes of the layer */
    uint64_t began_ns, here_ns; /* here_ns: when the delta had arrived */
    struct hf_err failure;
    int state;
    struct hf_job job;
    bool working, worked, gone; /* a worker has it, or had it; the owner has left */
    /* the worker's, too */
    pthread_mutex_t lock; /* of `arrived` */
    pthread_cond_t more;  /* it has grown, or `cancel` is set */
    uint64_t arrived;     /* bytes of the delta */
    int dirfd, stores[HF_MIRROR_STORES];
    size_t stores_n;
    struct hf_deep_file delta, fresh, scratch;
    atomic_size_t written;
    atomic_bool cancel;
    uint64_t read, scratch_max;
    struct hf_image *image;
    int applied;
    struct hf_err err;
};

static void destroy(struct hf_mirror_rebuild *rebuild)
{
    const struct hf_fs_ops *fs = rebuild->p.p.fs;

    hf_deep_file_done(&rebuild->delta);
    hf_deep_file_done(&rebuild->fresh);
    hf_deep_file_done(&rebuild->scratch);
    for (size_t i = 0; i < rebuild->stores_n; i++)
        (void)fs->close(fs->ctx, rebuild->stores[i]);
    if (rebuild->dirfd >= 0)
        (void)fs->close(fs->ctx, rebuild->dirfd);
    (void)pthread_cond_destroy(&rebuild->more);
    (void)pthread_mutex_destroy(&rebuild->lock);
    free(rebuild);
}

/* Tells the worker: `n` more bytes of the delta, or to stop. */
static void tell_worker(struct hf_mirror_rebuild *rebuild, size_t n, bool stop)
{
    (void)pthread_mutex_lock(&rebuild->lock);
    rebuild->arrived += n;
    if (stop)
        atomic_store(&rebuild->cancel, true);
    (void)pthread_cond_signal(&rebuild->more);
    (void)pthread_mutex_unlock(&rebuild->lock);
}

/* The owner may free it in moved(). `unproven`: the delta has not been compared. */
static void finish(struct hf_mirror_rebuild *rebuild, int r, bool unproven)
{
    rebuild->state = r == -EBADMSG && unproven && atomic_load(&rebuild->written) > 0 ? -EILSEQ : r;
    tell_worker(rebuild, 0, r < 0);
    hf_mirror_call_cancel(hf_steal(rebuild->call));
    hf_timer_disarm(rebuild->p.p.sched, rebuild->timer);
    rebuild->p.moved(rebuild->p.arg);
}

/* ---- on the worker ----------------------------------------------------------------------------------------------- */

/* Waits for the next bytes. */
static ssize_t read_delta(void *ctx, void *bytes, size_t n)
{
    struct hf_mirror_rebuild *rebuild = ctx;
    const struct hf_deep_scratch file = hf_deep_file_scratch(&rebuild->delta);

    (void)pthread_mutex_lock(&rebuild->lock);
    while (rebuild->read == rebuild->arrived && rebuild->read < rebuild->delta_size && !atomic_load(&rebuild->cancel))
        (void)pthread_cond_wait(&rebuild->more, &rebuild->lock);
    n = (size_t)HF_MIN((uint64_t)n, rebuild->arrived - rebuild->read);
    (void)pthread_mutex_unlock(&rebuild->lock);
    if (atomic_load(&rebuild->cancel))
        return -ECANCELED;
    ssize_t k = n > 0 ? file.pread(file.ctx, bytes, n, rebuild->read) : 0;
    rebuild->read += k > 0 ? (uint64_t)k : 0;
    return k;
}

static int write_fresh(void *ctx, const void *bytes, size_t n)
{
    struct hf_mirror_rebuild *rebuild = ctx;
    const struct hf_deep_scratch file = hf_deep_file_scratch(&rebuild->fresh);
    size_t at = atomic_load(&rebuild->written);

    if (atomic_load(&rebuild->cancel))
        return -ECANCELED;
    if (n > rebuild->size - at)
        return -EBADMSG;
    int r = file.write(file.ctx, bytes, n, at);
    if (r >= 0)
        atomic_store(&rebuild->written, at + n);
    return r;
}

static int open_old(void *ctx, const struct hf_deep_info *info, struct hf_delta_old *ret_old, struct hf_err *err)
{
    struct hf_mirror_rebuild *rebuild = ctx;
    int r = -ENOENT;

    if (info->parts_n == 0 || info->delta.new_size != rebuild->size)
        return hf_err_set(err, EBADMSG, "not a delta for this layer");
    for (size_t i = 0; i < rebuild->stores_n && r == -ENOENT; i++)
        r = hf_image_open_store(rebuild->p.p.fs, rebuild->stores[i], info, &rebuild->image, err);
    if (r == 0)
        *ret_old = hf_image_bytes(rebuild->image);
    return r;
}

static void work(struct hf_job *job)
{
    struct hf_mirror_rebuild *rebuild = hf_container_of(job, struct hf_mirror_rebuild, job);
    struct hf_deep_apply_params params = {
        .delta = {.patch = {rebuild, read_delta}, .out = {rebuild, write_fresh}, .cancel = &rebuild->cancel},
        .scratch = hf_deep_file_scratch(&rebuild->scratch),
        .scratch_max = rebuild->scratch_max,
        .open_old = open_old,
        .open_old_ctx = rebuild};
    struct hf_room room;

    hf_room_memory(rebuild->p.p.fs, "", &room);
    params.memory_max = HF_MAX(room.bytes, 1);
    rebuild->applied = hf_deep_apply(&params, NULL, &rebuild->err);
    if (rebuild->applied == 0 && atomic_load(&rebuild->written) != rebuild->size)
        rebuild->applied = hf_err_set(&rebuild->err, EBADMSG, "the delta makes another size");
    hf_image_free(hf_steal(rebuild->image));
}

static void worked(struct hf_job *job, int cancelled)
{
    struct hf_mirror_rebuild *rebuild = hf_container_of(job, struct hf_mirror_rebuild, job);
    int r = cancelled ? -ECANCELED : rebuild->applied;

    rebuild->working = false;
    rebuild->worked = true;
    if (rebuild->gone) {
        destroy(rebuild);
        return;
    }
    if (rebuild->state != 1 || (r == 0 && rebuild->call != NULL))
        return;
    if (r < 0)
        rebuild->failure = rebuild->err;
    finish(rebuild, r == -ESTALE || r == -EOPNOTSUPP || r == -E2BIG ? -EBADMSG : r, rebuild->call != NULL);
}

/* ---- the delta --------------------------------------------------------------------------------------------------- */

static int delta_response(void *arg, const struct hf_http_response *response)
{
    struct hf_mirror_rebuild *rebuild = arg;

    return response->status == 200 && response->content_length == (int64_t)rebuild->delta_size ? 0 : -EPROTO;
}

static int delta_body(void *arg, const void *bytes, size_t n)
{
    struct hf_mirror_rebuild *rebuild = arg;
    const struct hf_deep_scratch file = hf_deep_file_scratch(&rebuild->delta);

    hf_sha256_update(&rebuild->hash, bytes, n);
    int r = file.write(file.ctx, bytes, n, rebuild->arrived);
    if (r >= 0)
        tell_worker(rebuild, n, false);
    return HF_MIN(r, 0);
}

static bool is_right(struct hf_mirror_rebuild *rebuild)
{
    char hex[HF_SHA256_HEX];

    return rebuild->arrived == rebuild->delta_size &&
           strcmp(hf_sha256_final_hex(&rebuild->hash, hex), rebuild->sha256) == 0;
}

static int start_work(struct hf_mirror_rebuild *rebuild)
{
    if (rebuild->working || rebuild->worked)
        return 0;
    rebuild->job = (struct hf_job){.work = work, .done = worked, .waits = rebuild->call != NULL};
    int r = hf_job_submit(rebuild->p.p.sched, &rebuild->job);
    rebuild->working = r == 0;
    return r < 0 ? hf_err_sys(&rebuild->failure, r, "start a worker") : 0;
}

static void delta_done(void *arg, int r, const struct hf_err *err)
{
    struct hf_mirror_rebuild *rebuild = arg;

    rebuild->call = NULL;
    if (r < 0)
        rebuild->failure = *err;
    else if (!is_right(rebuild))
        r = hf_err_set(&rebuild->failure, EBADMSG, "the delta's digest is not right");
    bool unproven = r < 0;
    rebuild->here_ns = hf_mono_ns(rebuild->p.p.clock);
    if (r == 0)
        r = start_work(rebuild);
    if (r < 0 || rebuild->worked)
        finish(rebuild, r, unproven);
}

static void tick(void *arg)
{
    struct hf_mirror_rebuild *rebuild = arg;
    const uint64_t written = atomic_load(&rebuild->written), now_ns = hf_mono_ns(rebuild->p.p.clock);
    const uint64_t make_ns = MAKE_NS + rebuild->size / MAKE_BYTES_PER_S * HF_NS_PER_S;
    const bool is_here = rebuild->call == NULL;
    int r = 0;

    hf_timer_arm(rebuild->p.p.sched, rebuild->timer, TICK_NS);
    if (is_here && now_ns - rebuild->here_ns >= make_ns) {
        finish(rebuild, hf_err_set(&rebuild->failure, EBADMSG, "the delta takes too long to apply"), false);
    } else if (written > rebuild->told) {
        rebuild->told = written;
        rebuild->p.moved(rebuild->p.arg);
    } else if (!is_here && now_ns - rebuild->began_ns >= SOON_NS && (r = start_work(rebuild)) < 0) {
        finish(rebuild, r, true);
    }
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static int open_folders(struct hf_mirror_rebuild *rebuild)
{
    const struct hf_fs_ops *fs = rebuild->p.p.fs;
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    struct statvfs room;

    for (size_t i = 0; i < HF_MIRROR_STORES && rebuild->p.stores[i] != NULL; i++) {
        int fd = fs->openat(fs->ctx, AT_FDCWD, rebuild->p.stores[i], flags, 0, HF_FS_ANY);
        if (fd >= 0)
            rebuild->stores[rebuild->stores_n++] = fd;
    }
    rebuild->dirfd = fs->openat(fs->ctx, AT_FDCWD, rebuild->p.folder, flags, 0, HF_FS_ANY);
    if (rebuild->dirfd < 0)
        return rebuild->dirfd;
    int r = fs->fstatvfs(fs->ctx, rebuild->dirfd, &room);
    if (r < 0)
        return r;
    uint64_t free_bytes = (uint64_t)room.f_bavail * room.f_frsize, need = rebuild->size + rebuild->delta_size;
    if (free_bytes / 2 <= need)
        return -ENOSPC;
    rebuild->scratch_max = free_bytes / 2 - need;
    rebuild->delta = hf_deep_file_init(fs, rebuild->dirfd, "rebuild.delta");
    rebuild->fresh = hf_deep_file_init(fs, rebuild->dirfd, "rebuild.new");
    rebuild->scratch = hf_deep_file_init(fs, rebuild->dirfd, "rebuild.old");
    return 0;
}

static int begin(struct hf_mirror_rebuild *rebuild)
{
    const struct hf_sched_ops *sched = rebuild->p.p.sched;
    char path[HF_SHA256_HEX + 16];
    const struct hf_mirror_ask ask = {.origin = rebuild->p.origin,
                                      .name = rebuild->p.name,
                                      .path = path,
                                      .accept = "",
                                      .connect_ns = CONNECT_NS,
                                      .max_bytes = rebuild->delta_size,
                                      .tally = rebuild->p.tally,
                                      .resumes = true,
                                      .on_response = delta_response,
                                      .on_body = delta_body,
                                      .done = delta_done,
                                      .arg = rebuild};
    int r = rebuild->size <= SIZE_MAX / 2 ? open_folders(rebuild) : -EFBIG;

    if (r < 0)
        return r;
    rebuild->timer = hf_timer_new(sched, tick, rebuild);
    if (rebuild->timer == NULL)
        return -ENOMEM;
    (void)snprintf(path, sizeof(path), "blobs/sha256:%s", rebuild->sha256);
    r = hf_mirror_call_start(rebuild->p.upstream, &ask, &rebuild->call);
    if (r < 0)
        rebuild->call = NULL;
    else
        hf_timer_arm(sched, rebuild->timer, TICK_NS);
    return r;
}

int hf_mirror_rebuild_start(const struct hf_mirror_rebuild_params *params, struct hf_mirror_rebuild **ret_rebuild)
{
    struct hf_mirror_rebuild *rebuild = calloc(1, sizeof(*rebuild));

    if (rebuild == NULL)
        return -ENOMEM;
    rebuild->p = *params;
    rebuild->dirfd = -1;
    rebuild->state = 1;
    rebuild->size = params->delta->to_size;
    rebuild->delta_size = params->delta->size;
    memcpy(rebuild->sha256, params->delta->sha256, sizeof(rebuild->sha256));
    rebuild->began_ns = hf_mono_ns(params->p.clock);
    hf_sha256_init(&rebuild->hash);
    rebuild->failure = rebuild->err = (struct hf_err)HF_ERR_INIT;
    (void)pthread_mutex_init(&rebuild->lock, NULL);
    (void)pthread_cond_init(&rebuild->more, NULL);
    int r = begin(rebuild);
    rebuild->p.stores = NULL;
    rebuild->p.folder = rebuild->p.origin = rebuild->p.name = NULL;
    rebuild->p.delta = NULL;
    if (r < 0)
        hf_mirror_rebuild_free(rebuild);
    else
        *ret_rebuild = rebuild;
    return r;
}

void hf_mirror_rebuild_free(struct hf_mirror_rebuild *rebuild)
{
    if (rebuild == NULL)
        return;
    hf_mirror_call_cancel(rebuild->call);
    hf_timer_free(rebuild->p.p.sched, rebuild->timer);
    rebuild->gone = true;
    tell_worker(rebuild, 0, true);
    if (!rebuild->working)
        destroy(rebuild);
}

bool hf_mirror_rebuild_arrives(const struct hf_mirror_rebuild *rebuild)
{
    return rebuild->call != NULL;
}

int hf_mirror_rebuild_state(const struct hf_mirror_rebuild *rebuild)
{
    return rebuild->state;
}

const struct hf_err *hf_mirror_rebuild_err(const struct hf_mirror_rebuild *rebuild)
{
    return &rebuild->failure;
}

ssize_t hf_mirror_rebuild_read(const struct hf_mirror_rebuild *rebuild, void *bytes, size_t n, uint64_t at)
{
    uint64_t written = atomic_load(&rebuild->written);

    n = (size_t)HF_MIN((uint64_t)n, HF_MAX(written, at) - at);
    return n > 0 ? rebuild->p.p.fs->pread(rebuild->p.p.fs->ctx, rebuild->fresh.fd, bytes, n, at) : 0;
}

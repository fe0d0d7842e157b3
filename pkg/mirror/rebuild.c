/* SPDX-License-Identifier: Apache-2.0 */
/* First the whole delta arrives: compared with its digest, it then costs the worker only time that it computes.
 * containerd ends a pull that brings no byte for 5 minutes, so what cannot bring one earlier ends here earlier: at once
 * where the link is so slow that the delta comes too late, and then for good.
 *
 * The worker and the loop share the files and two atomics: the loop reads of the new file what `written` says. The loop
 * looks at it by a timer, since a worker can tell it nothing before it ends. Who frees a rebuild whose worker runs only
 * asks it to stop; it is freed when the worker has. */
#include "mirror/rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding/hex.h"
#include "base/fs.h"
#include "mirror/store.h"
#include "os/room.h"
#include "pack/deep/scratch.h"
#include "pack/image.h"

#define CONNECT_NS (5 * HF_NS_PER_S)
#define TICK_NS (20 * HF_NS_PER_MS)
#define SILENCE_NS (200 * HF_NS_PER_S) /* without a byte for containerd */
#define SAMPLE_NS (10 * HF_NS_PER_S)   /* then the link's speed is known */

struct hf_mirror_rebuild {
    struct hf_mirror_rebuild_params p; /* what is borrowed is NULL */
    char sha256[HF_SHA256_HEX];        /* of the delta */
    uint64_t delta_size, size;
    struct hf_mirror_call *call; /* NULL: the delta is here */
    struct hf_timer *timer;
    struct hf_sha256 hash;
    uint64_t arrived, told;     /* bytes of the delta, and of the layer */
    uint64_t began_ns, last_ns; /* last_ns: since when the client has had no byte */
    int state;
    struct hf_job job;
    bool working, gone; /* a worker has it; the owner has left */
    /* the worker's, too */
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
    free(rebuild);
}

/* The owner may free it in moved(). */
static void finish(struct hf_mirror_rebuild *rebuild, int r)
{
    const struct hf_sched_ops *sched = rebuild->p.p.sched;

    rebuild->state = r;
    atomic_store(&rebuild->cancel, r < 0);
    hf_mirror_call_cancel(hf_steal(rebuild->call));
    sched->timer_disarm(sched->ctx, rebuild->timer);
    rebuild->p.moved(rebuild->p.arg);
}

/* ---- on the worker ----------------------------------------------------------------------------------------------- */

static ssize_t read_delta(void *ctx, void *bytes, size_t n)
{
    struct hf_mirror_rebuild *rebuild = ctx;
    const struct hf_deep_scratch file = hf_deep_file_scratch(&rebuild->delta);

    n = (size_t)HF_MIN((uint64_t)n, rebuild->delta_size - rebuild->read);
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
    int r = rebuild->applied;

    rebuild->working = false;
    if (rebuild->gone)
        destroy(rebuild);
    else if (rebuild->state == 1)
        finish(rebuild, cancelled                                                          ? -ECANCELED
                        : r == -EBADMSG || r == -ESTALE || r == -EOPNOTSUPP || r == -E2BIG ? -EBADMSG
                                                                                           : r);
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
    rebuild->arrived += n;
    return HF_MIN(r, 0);
}

static bool is_right(struct hf_mirror_rebuild *rebuild)
{
    unsigned char digest[HF_SHA256_BYTES];
    char hex[HF_SHA256_HEX];

    hf_sha256_final(&rebuild->hash, digest);
    return rebuild->arrived == rebuild->delta_size &&
           strcmp(hf_hex_encode(digest, sizeof(digest), hex), rebuild->sha256) == 0;
}

static void delta_done(void *arg, int r, const struct hf_err *err)
{
    struct hf_mirror_rebuild *rebuild = arg;
    const struct hf_sched_ops *sched = rebuild->p.p.sched;

    rebuild->call = NULL;
    if (r < 0)
        rebuild->err = *err;
    else if (!is_right(rebuild))
        r = hf_err_set(&rebuild->err, EBADMSG, "the delta's digest is not right");
    rebuild->job = (struct hf_job){.work = work, .done = worked};
    if (r == 0)
        r = sched->submit(sched->ctx, &rebuild->job);
    if (r < 0)
        finish(rebuild, r);
    else
        rebuild->working = true;
}

/* The rest of the delta takes, at the speed seen, until too late. */
static bool comes_too_late(const struct hf_mirror_rebuild *rebuild, uint64_t now_ns)
{
    uint64_t took_ns = now_ns - rebuild->began_ns, limit_ns = rebuild->last_ns + SILENCE_NS - rebuild->began_ns;

    return rebuild->call != NULL && took_ns >= SAMPLE_NS &&
           (double)took_ns * (double)rebuild->delta_size > (double)limit_ns * (double)HF_MAX(rebuild->arrived, 1u);
}

static void tick(void *arg)
{
    struct hf_mirror_rebuild *rebuild = arg;
    const struct hf_sched_ops *sched = rebuild->p.p.sched;
    uint64_t now_ns = hf_mono_ns(rebuild->p.p.clock), written = atomic_load(&rebuild->written);

    sched->timer_arm(sched->ctx, rebuild->timer, TICK_NS);
    if (written > rebuild->told) {
        rebuild->told = written;
        rebuild->last_ns = now_ns;
        rebuild->p.moved(rebuild->p.arg);
    } else if (!rebuild->p.patient && (now_ns - rebuild->last_ns >= SILENCE_NS || comes_too_late(rebuild, now_ns))) {
        finish(rebuild, hf_err_set(&rebuild->err, EBADMSG, "it comes too late for containerd"));
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
    rebuild->timer = sched->timer_new(sched->ctx, tick, rebuild);
    if (rebuild->timer == NULL)
        return -ENOMEM;
    (void)snprintf(path, sizeof(path), "blobs/sha256:%s", rebuild->sha256);
    r = hf_mirror_call_start(rebuild->p.upstream, &ask, &rebuild->call);
    if (r < 0)
        rebuild->call = NULL;
    else
        sched->timer_arm(sched->ctx, rebuild->timer, TICK_NS);
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
    rebuild->last_ns = params->since_ns;
    hf_sha256_init(&rebuild->hash);
    rebuild->err = (struct hf_err)HF_ERR_INIT;
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
    rebuild->p.p.sched->timer_free(rebuild->p.p.sched->ctx, rebuild->timer);
    rebuild->gone = true;
    atomic_store(&rebuild->cancel, true);
    if (!rebuild->working)
        destroy(rebuild);
}

int hf_mirror_rebuild_state(const struct hf_mirror_rebuild *rebuild)
{
    return rebuild->state;
}

const struct hf_err *hf_mirror_rebuild_err(const struct hf_mirror_rebuild *rebuild)
{
    return &rebuild->err;
}

ssize_t hf_mirror_rebuild_read(const struct hf_mirror_rebuild *rebuild, void *bytes, size_t n, uint64_t at)
{
    uint64_t written = atomic_load(&rebuild->written);

    n = (size_t)HF_MIN((uint64_t)n, written - at);
    return n > 0 ? rebuild->p.p.fs->pread(rebuild->p.p.fs->ctx, rebuild->fresh.fd, bytes, n, at) : 0;
}

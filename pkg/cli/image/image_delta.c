/* SPDX-License-Identifier: Apache-2.0 */
/* image delta: for each platform of NEW and each OLD, an artifact with deltas of the changed layers.
 *
 * The base of every delta is what the old image has and the new one has not, as it is compressed there, in order: a
 * node may drop none of it before the pull ends. Where the new image only adds layers, the base is all of the old one.
 * Each delta is applied again, and has to make the layer. A layer whose delta is not smaller goes in whole. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/asprintf.h"
#include "base/encoding/hex.h"
#include "base/parse.h"
#include "cli/delta/patch.h"
#include "cli/image/signatures.h"
#include "cli/image/tags.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "codec/sha256.h"
#include "os/room.h"
#include "pack/deep/deep.h"
#include "pack/deep/scratch.h"

const struct hf_cli_option hf_cli_image_delta_options[] = {
    HF_CLI_OPTION("push", NULL, "push the artifacts to the repository of NEW"),
    HF_CLI_OPTION("output", "DIR", "write them into this OCI layout, as for a USB stick", .letter = 'o'),
    HF_CLI_OPTION("dry-run", NULL, "print what nodes would fetch, and keep nothing"),
    HF_CLI_OPTION("from-last", "N", "from the N versions before NEW in its repository, by their tags (1 to 16)"),
    HF_CLI_OPTION("platform", "OS/ARCH", "only this platform of NEW, such as linux/arm64 (all that OLD has too)",
                  .repeats = true),
    HF_CLI_OPTION("fast", NULL, "somewhat larger deltas that apply faster"),
    HF_CLI_OPTION("memory", "SIZE",
                  "such as 2Gi: a layer that needs more to be unpacked goes in whole (half of what is free)"),
    HF_CLI_OPTION("threads", "N", "threads (one per processor); the deltas are the same", .letter = 'j'),
    HF_CLI_OPTION("authfile", "FILE", "logins of registries, as docker's config.json (docker's own)"),
    HF_CLI_OPTION("ca-file", "FILE", "certificate authority of the registries (the system's)"),
    {.name = NULL},
};

struct delta_job {
    struct hf_cli *cli;
    const struct hf_cli_args *args;
    struct hf_deep_create_params params;
    char label[HF_OCI_PLATFORM + 64];
    uint64_t from_last; /* 0: not asked for */
};

/* ---- the base ---------------------------------------------------------------------------------------------------- */

struct delta_base {
    const struct hf_oci_descriptor *layers[HF_OCI_LAYERS];
    struct hf_deep_part parts[HF_OCI_LAYERS];
    size_t n;
    struct hf_cli_map map;
};

static bool has_layer(const struct hf_oci_manifest *manifest, const char *digest)
{
    for (size_t i = 0; i < manifest->layers_n; i++)
        if (strcmp(manifest->layers[i].digest, digest) == 0)
            return true;
    return false;
}

static bool in_base(const struct delta_base *base, const char *digest)
{
    for (size_t i = 0; i < base->n; i++)
        if (strcmp(base->layers[i]->digest, digest) == 0)
            return true;
    return false;
}

static void choose_base(const struct hf_oci_manifest *old, const struct hf_oci_manifest *new_manifest,
                        struct delta_base *base)
{
    for (int all = 0; all <= 1 && base->n == 0; all++)
        for (size_t i = 0; i < old->layers_n; i++)
            if ((all == 1 || !has_layer(new_manifest, old->layers[i].digest)) && !in_base(base, old->layers[i].digest))
                base->layers[base->n++] = &old->layers[i];
}

static int load_base(struct hf_cli_image *old, struct delta_base *base, struct hf_err *err)
{
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch scratch = HF_CLI_SCRATCH_INIT;
    int r = hf_cli_scratch_open(&scratch, err);

    for (size_t i = 0; r == 0 && i < base->n; i++) {
        r = hf_cli_image_blob(old, base->layers[i], &scratch, err);
        base->parts[i].size = base->layers[i]->size;
        if (r == 0)
            r = hf_hex_decode(base->layers[i]->digest + 7, base->parts[i].sha256, HF_SHA256_BYTES);
    }
    return r == 0 ? hf_cli_scratch_map(&scratch, &base->map, err) : r;
}

/* ---- one layer --------------------------------------------------------------------------------------------------- */

struct delta_proof {
    const struct hf_cli_map *patch;
    size_t at; /* in the patch */
    struct hf_sha256 hash;
};

static ssize_t read_patch(void *ctx, void *bytes, size_t n)
{
    struct delta_proof *proof = ctx;

    n = HF_MIN(n, proof->patch->n - proof->at);
    memcpy(bytes, (const char *)proof->patch->p + proof->at, n);
    proof->at += n;
    return (ssize_t)n;
}

static int prove_bytes(void *ctx, const void *bytes, size_t n)
{
    struct delta_proof *proof = ctx;

    hf_sha256_update(&proof->hash, bytes, n);
    return 0;
}

/* Applies the delta as a node does. */
static int prove(struct hf_cli *cli, const struct delta_base *base, const struct hf_cli_map *patch, const char *digest,
                 struct hf_err *err)
{
    struct hf_delta_memory old = {base->map.p, base->map.n};
    struct delta_proof proof = {.patch = patch};
    _cleanup_(hf_freep) char *name = hf_cli_patch_scratch("-");
    char hex[HF_SHA256_HEX];

    if (name == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    struct hf_deep_file scratch = hf_deep_file_init(cli->fs, AT_FDCWD, name);
    const struct hf_deep_apply_params params = {.delta = {.old = {&old, hf_delta_memory_pread, old.n},
                                                          .patch = {&proof, read_patch},
                                                          .out = {&proof, prove_bytes}},
                                                .scratch = hf_deep_file_scratch(&scratch)};
    hf_sha256_init(&proof.hash);
    int r = hf_deep_apply(&params, NULL, err);
    hf_deep_file_done(&scratch);
    if (r < 0)
        return hf_err_wrap(err, r, "apply the delta of '%s' again", digest);
    if (strcmp(hf_sha256_final_hex(&proof.hash, hex), digest + 7) != 0)
        return hf_err_set(err, EPROTO, "the delta of '%s' makes another layer: a defect of holdfast", digest);
    return 0;
}

static int draw(void *ctx, uint64_t done, uint64_t total)
{
    struct delta_job *job = ctx;

    if (job->cli->terminal)
        hf_cli_progress(job->cli, job->label, done, total);
    return 0;
}

/* Streams take about three times their unpacked bytes, and the search for their encoders some more. */
enum { TIMES_UNPACKED = 4 };

/* What a large layer may run into; it then goes in whole. */
static bool is_too_much(int r)
{
    return r == -EFBIG || r == -E2BIG || r == -ENOMEM;
}

static int note_base(const struct delta_base *base, struct hf_oci_delta_blob *blob, struct hf_err *err)
{
    blob->from = calloc(base->n, sizeof(*blob->from));
    if (blob->from == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (; blob->from_n < base->n; blob->from_n++)
        memcpy(blob->from[blob->from_n], base->layers[blob->from_n]->digest, HF_OCI_DIGEST);
    return 0;
}

static int add_layer(struct delta_job *job, struct hf_cli_image *image, const struct delta_base *base,
                     const struct hf_oci_descriptor *layer, struct hf_cli_made *made, struct hf_err *err)
{
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch whole = HF_CLI_SCRATCH_INIT, patch = HF_CLI_SCRATCH_INIT;
    _cleanup_(hf_cli_map_done) struct hf_cli_map bytes = {.p = NULL}, delta = {.p = NULL};
    const struct hf_delta_out out = {&patch, hf_cli_scratch_write};
    struct hf_deep_create_params params = job->params;
    struct hf_oci_delta_blob *blob;
    char text[200], limit[HF_CLI_BYTES_TEXT];
    int r = hf_cli_scratch_open(&whole, err);

    if (r == 0)
        r = hf_cli_image_blob(image, layer, &whole, err);
    if (r == 0)
        r = hf_cli_scratch_map(&whole, &bytes, err);
    if (r == 0)
        r = hf_cli_scratch_open(&patch, err);
    if (r < 0)
        return r;
    params.delta.progress = draw;
    params.delta.progress_ctx = job;
    params.parts = base->parts;
    params.parts_n = base->n;
    r = base->n > 0 ? hf_deep_create(base->map.p, base->map.n, bytes.p, bytes.n, &params, &out, err) : -E2BIG;
    hf_cli_progress_end(job->cli);
    if (r < 0 && !is_too_much(r))
        return hf_err_wrap(err, r, "delta of '%s'", layer->digest);
    if (r < 0 && base->n > 0)
        hf_cli_print_line(job->cli->err, "%s  goes in whole: %s; --memory SIZE allows more than %s", layer->digest,
                          hf_err_text(err, text, sizeof(text)),
                          hf_cli_bytes(params.unpacked_max * TIMES_UNPACKED, limit));
    if (r < 0 || patch.size >= whole.size)
        return hf_cli_made_add(made, &whole, layer->media_type, err) != NULL ? 0 : -err->code;
    r = hf_cli_scratch_map(&patch, &delta, err);
    if (r == 0)
        r = prove(job->cli, base, &delta, layer->digest, err);
    if (r < 0)
        return r;
    blob = hf_cli_made_add(made, &patch, HF_OCI_TYPE_LAYER_DELTA, err);
    if (blob == NULL)
        return -err->code;
    memcpy(blob->to, layer->digest, sizeof(blob->to));
    blob->to_size = layer->size;
    return note_base(base, blob, err);
}

static void print_layer(struct hf_cli *cli, const char *platform, const struct hf_oci_delta_blob *blob)
{
    char size[HF_CLI_BYTES_TEXT], all[HF_CLI_BYTES_TEXT];

    if (blob->from_n == 0)
        hf_cli_print_line(cli->out, "%s  layer %.19s  %s, whole", platform, blob->to, hf_cli_bytes(blob->to_size, all));
    else
        hf_cli_print_line(cli->out, "%s  layer %.19s  %s of %s, by delta", platform, blob->to,
                          hf_cli_bytes(blob->blob.size, size), hf_cli_bytes(blob->to_size, all));
}

/* ---- one platform ------------------------------------------------------------------------------------------------ */

static int add_config(struct hf_cli_image *image, const struct hf_oci_descriptor *config, struct hf_cli_made *made,
                      struct hf_err *err)
{
    _cleanup_(hf_cli_scratch_done) struct hf_cli_scratch scratch = HF_CLI_SCRATCH_INIT;
    int r = hf_cli_scratch_open(&scratch, err);

    if (r == 0)
        r = hf_cli_image_blob(image, config, &scratch, err);
    if (r == 0 && hf_cli_made_add(made, &scratch, config->media_type, err) == NULL)
        r = -err->code;
    return r;
}

static int fill(struct delta_job *job, struct hf_cli_image *old, const struct hf_cli_image_platform *from,
                struct hf_cli_image *image, const struct hf_cli_image_platform *to, struct hf_cli_made *made,
                struct hf_err *err)
{
    const struct hf_cli_image_text *root = hf_cli_image_root(image);
    struct delta_base base = {.n = 0};
    int r;

    made->delta.subject = to->manifest.at;
    memcpy(made->delta.from, from->manifest.at.digest, sizeof(made->delta.from));
    r = hf_cli_made_add_text(made, hf_buf_view(&to->manifest.text), to->manifest.at.media_type, err);
    if (r == 0)
        r = add_config(image, &to->parsed.config, made, err);
    if (r == 0 && hf_cli_image_is_index(image))
        r = hf_cli_made_add_text(made, hf_buf_view(&root->text), root->at.media_type, err);
    if (r == 0)
        r = hf_cli_signatures_add(image, root->at.digest, made, err);
    if (r == 0 && hf_cli_image_is_index(image))
        r = hf_cli_signatures_add(image, to->manifest.at.digest, made, err);
    choose_base(&from->parsed, &to->parsed, &base);
    if (r == 0)
        r = load_base(old, &base, err);
    for (size_t i = 0; r == 0 && i < to->parsed.layers_n; i++) {
        const struct hf_oci_descriptor *layer = &to->parsed.layers[i];
        if (has_layer(&from->parsed, layer->digest) || hf_cli_made_has(made, layer->digest))
            continue;
        (void)snprintf(job->label, sizeof(job->label), "%s layer %zu of %zu", to->name, i + 1, to->parsed.layers_n);
        r = add_layer(job, image, &base, layer, made, err);
        if (r == 0)
            print_layer(job->cli, to->name, &made->delta.blobs[made->delta.blobs_n - 1]);
    }
    hf_cli_map_done(&base.map);
    return r == 0 ? hf_cli_made_finish(made, err) : r;
}

static void print_nodes(struct delta_job *job, const char *old_name, const struct hf_cli_image_platform *from,
                        const struct hf_cli_image_platform *to, const struct hf_cli_made *made)
{
    uint64_t changed = to->manifest.at.size + to->parsed.config.size, all = changed;
    char by_delta[HF_CLI_BYTES_TEXT], plain[HF_CLI_BYTES_TEXT], whole[HF_CLI_BYTES_TEXT];

    for (size_t i = 0; i < to->parsed.layers_n; i++) {
        all += to->parsed.layers[i].size;
        changed += has_layer(&from->parsed, to->parsed.layers[i].digest) ? 0 : to->parsed.layers[i].size;
    }
    hf_cli_print_line(job->cli->out, "%s  a node with %s fetches %s by delta (%s without), a new node %s", to->name,
                      old_name, hf_cli_bytes(made->offer.bytes, by_delta), hf_cli_bytes(changed, plain),
                      hf_cli_bytes(all, whole));
}

static int make(struct delta_job *job, struct hf_cli_image *old, const char *old_name,
                const struct hf_cli_image_platform *from, struct hf_cli_image *image,
                const struct hf_cli_image_platform *to, struct hf_err *err)
{
    const char *folder = hf_cli_value(job->args, "output", NULL);
    const struct hf_oci_reference *at = hf_cli_image_reference(image);
    struct hf_cli_made *made = calloc(1, sizeof(*made));
    int r = made != NULL ? fill(job, old, from, image, to, made, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r == 0)
        print_nodes(job, old_name, from, to, made);
    if (r == 0 && folder != NULL) {
        r = hf_cli_made_write(job->cli, made, folder, err);
        if (r == 0)
            hf_cli_print_line(job->cli->out, "%s  %s written to '%s'", to->name, made->offer.artifact.digest, folder);
    }
    if (r == 0 && hf_cli_flag(job->args, "push")) {
        r = hf_cli_made_push(job->cli, made, hf_cli_image_in_registry(image), at->repository, err);
        if (r == 0)
            hf_cli_print_line(job->cli->out, "%s  %s pushed to %s/%s", to->name, made->offer.artifact.digest, at->host,
                              at->repository);
    }
    if (made != NULL)
        hf_cli_made_done(made);
    free(made);
    return r;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static bool is_wanted(const struct hf_cli_args *args, const char *platform)
{
    size_t n = hf_cli_count(args, "platform");

    for (size_t i = 0; i < n; i++)
        if (strcmp(hf_cli_nth_value(args, "platform", i), platform) == 0)
            return true;
    return n == 0;
}

static const struct hf_cli_image_platform *find_platform(const struct hf_cli_image *image, const char *name)
{
    size_t n;
    const struct hf_cli_image_platform *platforms = hf_cli_image_platforms(image, &n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(platforms[i].name, name) == 0)
            return &platforms[i];
    return NULL;
}

/* All platforms from one old image. */
static int make_from(struct delta_job *job, const char *old_name, const struct hf_cli_image_access *access,
                     struct hf_cli_image *image, size_t *made, struct hf_err *err)
{
    _cleanup_(hf_cli_image_freep) struct hf_cli_image *old = NULL;
    size_t n;
    const struct hf_cli_image_platform *platforms = hf_cli_image_platforms(image, &n);
    int r = hf_cli_image_open(job->cli, old_name, access, &old, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        const struct hf_cli_image_platform *to = &platforms[i], *from = find_platform(old, to->name);
        if (!is_wanted(job->args, to->name))
            continue;
        if (from == NULL) {
            hf_cli_print_line(job->cli->err, "%s  left out: '%s' is not for this platform", to->name, old_name);
            continue;
        }
        if (strcmp(from->manifest.at.digest, to->manifest.at.digest) == 0) {
            hf_cli_print_line(job->cli->out, "%s  '%s' is the same image", to->name, old_name);
            continue;
        }
        r = make(job, old, old_name, from, image, to, err);
        *made += r == 0;
    }
    return r;
}

/* From the versions that the repository has before the new image's. */
static int make_from_last(struct delta_job *job, const struct hf_cli_image_access *access, struct hf_cli_image *image,
                          size_t *made, struct hf_err *err)
{
    const struct hf_oci_reference *at = hf_cli_image_reference(image);
    _cleanup_(hf_json_freep) json_t *tags = json_array();
    const char *before[HF_CLI_TAGS_MAX];

    if (job->from_last == 0)
        return 0;
    if (hf_cli_image_in_registry(image) == NULL || at->tag[0] == '\0')
        return hf_err_set(err, EINVAL,
                          "--from-last needs a NEW with a tag in a registry (docker://HOST/REPOSITORY:TAG)");
    int r = tags != NULL ? hf_oci_registry_tags(hf_cli_image_in_registry(image), at->repository, tags, err)
                         : hf_err_set(err, ENOMEM, "out of memory");
    int n = r == 0 ? hf_cli_tags_before(tags, at->tag, (size_t)job->from_last, before) : 0;
    if (n < 0)
        return hf_err_set(err, EINVAL, "--from-last: the tag '%s' is no version, such as 1.4.2 or v1.4.2-alpine",
                          at->tag);
    for (int i = 0; r == 0 && i < n; i++) {
        _cleanup_(hf_freep) char *name = hf_asprintf("docker://%s/%s:%s", at->host, at->repository, before[i]);
        r = name != NULL ? make_from(job, name, access, image, made, err) : hf_err_set(err, ENOMEM, "out of memory");
    }
    return r;
}

static int memory(struct delta_job *job, struct hf_err *err)
{
    const char *text = hf_cli_value(job->args, "memory", NULL);
    struct hf_room room;
    uint64_t bytes;

    if (text == NULL) {
        hf_room_memory(job->cli->fs, "", &room);
        bytes = room.bytes;
    } else if (hf_parse_quantity(text, &bytes) < 0 || bytes < TIMES_UNPACKED) {
        return hf_err_set(err, EINVAL, "--memory: '%.40s' is not a size, such as 2Gi", text);
    }
    job->params.unpacked_max = HF_MAX(bytes / TIMES_UNPACKED, (uint64_t)1);
    return 0;
}

/* Asked before the work, which takes long. A folder that is missing is made after it. */
static int check_output(const char *folder, struct hf_err *err)
{
    struct stat st;

    if (folder == NULL || stat(folder, &st) < 0 || S_ISDIR(st.st_mode))
        return 0;
    return hf_err_set(err, ENOTDIR, "--output: '%s' is not a folder", folder);
}

static int settings(struct delta_job *job, struct hf_err *err)
{
    const char *threads_text = hf_cli_value(job->args, "threads", "0");
    bool push = hf_cli_flag(job->args, "push"), dry = hf_cli_flag(job->args, "dry-run");
    const char *folder = hf_cli_value(job->args, "output", NULL);
    uint64_t threads;

    if (hf_parse_u64(threads_text, 0, 256, &threads) < 0)
        return hf_err_set(err, EINVAL, "--threads: '%.40s' is not a number from 0 to 256", threads_text);
    if (hf_parse_u64(hf_cli_value(job->args, "from-last", "1"), 1, HF_CLI_TAGS_MAX, &job->from_last) < 0)
        return hf_err_set(err, EINVAL, "--from-last: '%.40s' is not a number from 1 to %d",
                          hf_cli_value(job->args, "from-last", ""), HF_CLI_TAGS_MAX);
    if (hf_cli_count(job->args, "from-last") == 0)
        job->from_last = 0;
    if (job->from_last == 0 && job->args->n_words < 2)
        return hf_err_set(err, EINVAL, "expected OLD... NEW, or --from-last and NEW");
    if (dry ? push || folder != NULL : !push && folder == NULL)
        return hf_err_set(err, EINVAL, "expected --push, --output, both of them, or --dry-run alone");
    if (push && strncmp(job->args->words[job->args->n_words - 1], "docker://", 9) != 0)
        return hf_err_set(err, EINVAL, "--push needs a NEW that is in a registry (docker://HOST/REPOSITORY:TAG)");
    job->params = (struct hf_deep_create_params){
        .delta = {.profile = hf_cli_flag(job->args, "fast") ? HF_DELTA_FAST : HF_DELTA_SMALL,
                  .threads = (unsigned)threads}};
    int r = check_output(folder, err);
    return r < 0 ? r : memory(job, err);
}

int hf_cli_image_delta(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_cli_image_freep) struct hf_cli_image *image = NULL;
    _cleanup_(hf_buf_done) struct hf_buf ca = HF_BUF_INIT(0);
    struct hf_cli_image_access access = {.ca_pem = NULL};
    struct delta_job job = {.cli = cli, .args = args};
    size_t made = 0;
    int r = settings(&job, err);

    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10); /* free() returns large tables to the system at once */
    if (r == 0)
        r = hf_cli_image_access_init(cli, args, &ca, &access, err);
    if (r == 0)
        r = hf_cli_image_open(cli, args->words[args->n_words - 1], &access, &image, err);
    for (size_t i = 0; r == 0 && i + 1 < args->n_words; i++)
        r = make_from(&job, args->words[i], &access, image, &made, err);
    if (r == 0)
        r = make_from_last(&job, &access, image, &made, err);
    hf_buf_wipe(&access.logins);
    if (r == 0 && made == 0)
        r = hf_err_set(err, ENOENT, "no platform is to be updated from one image to another");
    return r;
}

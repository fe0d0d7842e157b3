/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a release: for each artifact the whole file as nodes fetch it, and deltas from older versions.
 *
 * For each artifact: map the new file (of a folder, its archive), write the whole file, packed if asked for, then
 * make the deltas from each old file. Each new delta is applied as a node will apply it, and the result compared
 * with the new file, before it is listed: a delta that does not prove itself is an error, not a risk for the fleet.
 *
 * A delta is listed only if it is smaller than the whole artifact on the wire. One that looks inside compressed
 * files may need much memory; then a plain delta is made for nodes without it, if that saves at least a fifth. */
#include "cli/release/release_plan.h"
#include "cli/release/release_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/release/release_steps.h"
#include "cli/release/tar.h"
#include "codec/pack.h"
#include "codec/sha256.h"
#include "os/fd.h"
#include "pack/deep/deep.h"
#include "supervisor/state.h"

#define MAX_INPUT_BYTES ((size_t)HF_MIN((uint64_t)16 << 30, (uint64_t)SIZE_MAX))
#define MUCH_MEMORY (24u << 20) /* more than the smallest nodes have free */

enum { MAX_OLDS = HF_MAX_DELTAS, WRITE_PIECE = 1 << 20, DRAW_SCALE = 1 << 20 };

/* A file of the release while it is written. */
struct release_file {
    struct hf_cli_out out;
    struct hf_sha256 hash;
    uint64_t size;
    struct hf_err *err;
};

static int write_bytes(void *ctx, const void *bytes, size_t n)
{
    struct release_file *file = ctx;

    hf_sha256_update(&file->hash, bytes, n);
    file->size += n;
    return hf_cli_out_write(&file->out, bytes, n, file->err);
}

static int begin(struct hf_release_files *files, const char *name, struct release_file *file, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", files->folder, name);

    *file = (struct release_file){.out = HF_CLI_OUT_INIT, .err = err};
    hf_sha256_init(&file->hash);
    return path != NULL ? hf_cli_out_open(files->cli, path, 0644, &file->out, err)
                        : hf_err_set(err, ENOMEM, "out of memory");
}

static int write_packed(struct hf_release_files *files, const struct hf_cli_map *map, struct release_file *file,
                        struct hf_err *err)
{
    _cleanup_(hf_pack_freep) struct hf_pack *pack = hf_pack_new(write_bytes, file, map->n);
    const char *p = map->p;
    int r = pack != NULL ? 0 : hf_err_set(err, ENOMEM, "out of memory");

    for (size_t at = 0; r == 0 && at < map->n; at += WRITE_PIECE) {
        hf_cli_progress(files->cli, "packing", at, map->n);
        r = hf_pack_feed(pack, p + at, HF_MIN((size_t)WRITE_PIECE, map->n - at), err);
    }
    return r < 0 ? r : hf_pack_finish(pack, err);
}

/* Writes the whole artifact as nodes fetch it. *ret_wire_bytes and `wire_hex` receive size and hash of the file. */
static int make_whole(struct hf_release_files *files, const char *name, const struct hf_cli_map *map,
                      uint64_t *ret_wire_bytes, char wire_hex[HF_SHA256_HEX], struct hf_err *err)
{
    struct release_file file;
    int r = begin(files, name, &file, err);

    if (r == 0)
        r = files->pack ? write_packed(files, map, &file, err) : write_bytes(&file, map->p, map->n);
    if (r == 0)
        r = hf_cli_out_commit(&file.out, err);
    hf_cli_out_done(&file.out);
    if (r == 0)
        *ret_wire_bytes = file.size;
    (void)hf_sha256_final_hex(&file.hash, wire_hex);
    return r;
}

/* Draws the progress over all deltas of the release, so that the remaining time covers all of them. */
static int draw(void *ctx, uint64_t done, uint64_t total)
{
    const struct hf_release_files *files = ctx;
    double part = total > 0 ? (double)HF_MIN(done, total) / (double)total : 0;
    char label[48];

    (void)snprintf(label, sizeof(label), "delta %u of %u", files->nth_old, files->n_olds);
    hf_cli_progress(files->cli, label, (uint64_t)((files->nth_old - 1 + part) * DRAW_SCALE),
                    (uint64_t)files->n_olds * DRAW_SCALE);
    return 0;
}

static int make_delta(struct hf_release_files *files, const char *name, const struct hf_cli_map *old,
                      const struct hf_cli_map *new_map, bool plain, uint64_t *ret_size, char hex[HF_SHA256_HEX],
                      struct hf_err *err)
{
    struct release_file file;
    const struct hf_delta_out out = {&file, write_bytes};
    const struct hf_deep_create_params params = {
        .delta = {.profile = files->fast || plain ? HF_DELTA_FAST : HF_DELTA_SMALL,
                  .threads = files->threads,
                  .progress = draw,
                  .progress_ctx = files},
        .plain = plain,
        .inside = !plain};
    int r = begin(files, name, &file, err);

    if (r == 0)
        r = hf_deep_create(old->p, old->n, new_map->p, new_map->n, &params, &out, err);
    if (r == 0)
        r = hf_cli_out_commit(&file.out, err);
    hf_cli_out_done(&file.out);
    if (r < 0)
        return r;
    *ret_size = file.size;
    (void)hf_sha256_final_hex(&file.hash, hex);
    return 0;
}

/* ---- applying a new delta, as a node will ---- */

/* Compares the result with the new file. */
struct proof {
    const struct hf_cli_map *want;
    uint64_t at;
};

static int proof_new(void *ctx, const void *bytes, size_t n)
{
    struct proof *proof = ctx;

    if (n > proof->want->n - proof->at || memcmp((const char *)proof->want->p + proof->at, bytes, n) != 0)
        return -EIO;
    proof->at += n;
    return 0;
}

static int prove(struct hf_release_files *files, const char *name, const struct hf_cli_map *old,
                 const struct hf_cli_map *want, struct hf_deep_info *ret_info, struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", files->folder, name);
    _cleanup_(hf_closep) int patch_fd = -1;
    struct hf_delta_memory memory = {old->p, old->n};
    struct proof proof = {.want = want};
    const struct hf_deep_apply_params params = {.delta = {.old = {&memory, hf_delta_memory_pread, old->n},
                                                          .patch = {&patch_fd, hf_cli_fd_read},
                                                          .out = {&proof, proof_new}}};
    int r = path != NULL ? hf_cli_in_open(files->cli, path, &patch_fd, err) : hf_err_set(err, ENOMEM, "out of memory");

    if (r < 0)
        return r;
    hf_cli_progress(files->cli, "applying", 0, 0);
    r = hf_deep_apply(&params, ret_info, err);
    if (r == 0 && proof.at != want->n)
        r = hf_err_set(err, EIO, "the result has only %llu of %zu bytes", (unsigned long long)proof.at, want->n);
    return r < 0 ? hf_err_wrap(err, r, "the new delta '%s' does not make the new file", name) : 0;
}

/* ---- one artifact ---- */

struct artifact {
    char arch[32];
    char *spec; /* a copy of the option, cut into strings */
    const char *new_path;
    const char *olds[MAX_OLDS];
    size_t n_olds;
};

static int parse_spec(const char *spec, struct artifact *artifact, struct hf_err *err)
{
    size_t arch = strcspn(spec, "=");

    if (spec[arch] != '=' || arch == 0 || arch >= sizeof(artifact->arch))
        return hf_err_set(err, EINVAL, "--artifact '%s': expected ARCH=NEW[,old=OLD...]", spec);
    memcpy(artifact->arch, spec, arch);
    artifact->arch[arch] = '\0';
    artifact->spec = strdup(spec + arch + 1);
    if (artifact->spec == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    char *rest = artifact->spec;
    artifact->new_path = strsep(&rest, ",");
    for (char *piece; (piece = strsep(&rest, ",")) != NULL;) {
        if (strncmp(piece, "old=", 4) != 0 || piece[4] == '\0')
            return hf_err_set(err, EINVAL, "--artifact '%s': expected old=OLD, not '%s'", spec, piece);
        if (artifact->n_olds == MAX_OLDS)
            return hf_err_set(err, EINVAL, "--artifact '%s': more than %d old files", spec, MAX_OLDS);
        artifact->olds[artifact->n_olds++] = piece + 4;
    }
    return artifact->new_path[0] != '\0' ? 0 : hf_err_set(err, EINVAL, "--artifact '%s': no new file", spec);
}

static json_t *delta_entry(const struct hf_release_files *files, const char *name, const char *from, const char *hex,
                           uint64_t size, const struct hf_deep_info *info)
{
    _cleanup_(hf_freep) char *url = hf_release_file_url(files->url_base, name, hex);
    json_t *entry = url == NULL ? NULL
                                : json_pack("{s:s, s:s, s:s, s:I}", "from", from, "url", url, "sha256", hex, "size",
                                            (json_int_t)size);

    if (entry != NULL && info->inside &&
        json_object_set_new(entry, "requires",
                            json_pack("{s:I, s:I}", "memory", (json_int_t)info->memory_bytes, "disk",
                                      (json_int_t)info->scratch_bytes)) < 0) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

static bool has_delta_from(const json_t *deltas, const char *from)
{
    for (size_t i = 0; i < json_array_size(deltas); i++)
        if (strcmp(hf_json_str_or(json_array_get(deltas, i), "from", ""), from) == 0)
            return true;
    return false;
}

static int report_delta(json_t *report, const char *old_path, const char *from, uint64_t size, const char *left_out,
                        struct hf_err *err)
{
    json_t *entry =
        json_pack("{s:o, s:s, s:I}", "old", hf_cli_json_text(old_path), "from", from, "bytes", (json_int_t)size);
    int r = left_out != NULL && entry != NULL ? hf_cli_put(entry, "leftOut", hf_cli_json_text(left_out), err) : 0;

    if (r < 0) {
        json_decref(entry);
        return r;
    }
    return hf_cli_append(report, entry, err);
}

/* Maps a file. For a folder, writes its archive to the temporary folder, maps it and unlinks it at once. */
static int open_input(struct hf_release_files *files, const char *input, bool tree, bool is_new, struct hf_cli_map *map,
                      struct hf_err *err)
{
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/archive.tar", files->folder);
    struct release_file file;

    if (!tree)
        return hf_cli_map_open(files->cli, input, MAX_INPUT_BYTES, map, err);
    int r = path != NULL ? begin(files, "archive.tar", &file, err) : hf_err_set(err, ENOMEM, "out of memory");
    if (r < 0)
        return r;
    r = hf_cli_tar(input, is_new, write_bytes, &file, err);
    if (r == 0)
        r = hf_cli_out_commit(&file.out, err);
    hf_cli_out_done(&file.out);
    if (r == 0)
        r = hf_cli_map_open(files->cli, path, MAX_INPUT_BYTES, map, err);
    (void)unlink(path);
    return r;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* One old file. It gets at most two deltas: one that looks inside, and a plain one for nodes without the memory for
 * that. */
struct base {
    const char *old_path, *from;
    const struct hf_cli_map *old, *new_map;
    uint64_t wire_bytes;
    json_t *deltas, *report;
};

/* Makes a delta, and lists it if it is smaller than the whole artifact on the wire. */
static int list_delta(struct hf_release_files *files, const char *name, const struct base *base, bool plain,
                      struct hf_deep_info *ret_info, struct hf_err *err)
{
    char hex[HF_SHA256_HEX];
    uint64_t size = 0;
    int r = make_delta(files, name, base->old, base->new_map, plain, &size, hex, err);

    if (r < 0)
        return hf_err_wrap(err, r, "delta from '%s'", base->old_path);
    /* The plain delta has to save at least a fifth. */
    if (size >= (plain ? base->wire_bytes / 5 * 4 : base->wire_bytes)) {
        _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s", files->folder, name);
        if (path == NULL || unlink(path) < 0)
            return hf_err_set(err, EIO, "cannot remove '%s'", name);
        return report_delta(base->report, base->old_path, base->from, size,
                            plain ? "hardly smaller than the whole file" : "larger than the whole file", err);
    }
    r = prove(files, name, base->old, base->new_map, ret_info, err);
    if (r == 0)
        r = hf_cli_append(base->deltas, delta_entry(files, name, base->from, hex, size, ret_info), err);
    return r < 0 ? r : report_delta(base->report, base->old_path, base->from, size, NULL, err);
}

static int add_delta(struct hf_release_files *files, const struct artifact *artifact, const char *old_path,
                     const struct hf_cli_map *new_map, const char *new_hex, uint64_t wire_bytes, json_t *deltas,
                     json_t *report, struct hf_err *err)
{
    _cleanup_(hf_cli_map_done) struct hf_cli_map old = {.p = NULL};
    struct hf_deep_info info = {.inside = false}, more = {.inside = false};
    char from[HF_SHA256_HEX];
    const struct base base = {old_path, from, &old, new_map, wire_bytes, deltas, report};
    int r = open_input(files, old_path, files->tree && is_folder(old_path), false, &old, err);

    files->nth_old++;
    if (r < 0)
        return r;
    (void)hf_sha256_hex(old.p, old.n, from);
    if (strcmp(from, new_hex) == 0)
        return report_delta(report, old_path, from, 0, "the same as the new file", err);
    if (has_delta_from(deltas, from))
        return report_delta(report, old_path, from, 0, "the same as another old file", err);
    _cleanup_(hf_freep) char *name = hf_asprintf("%s-%s-from-%.12s.delta", files->stem, artifact->arch, from);
    _cleanup_(hf_freep) char *plain = hf_asprintf("%s-%s-from-%.12s-plain.delta", files->stem, artifact->arch, from);
    if (name == NULL || plain == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    r = list_delta(files, name, &base, false, &info, err);
    if (r == 0 && info.inside && info.memory_bytes > MUCH_MEMORY)
        r = list_delta(files, plain, &base, true, &more, err);
    hf_deep_info_done(&info);
    hf_deep_info_done(&more);
    return r;
}

/* A folder holds the program that the supervisor starts; a file is a tar archive, which only the node looks into. */
static int check_agent(const char *path, bool folder, struct hf_err *err)
{
    _cleanup_(hf_freep) char *program = hf_asprintf("%s/" HF_HOST_AGENT, path);
    _cleanup_(hf_closep) int fd = -1;
    char magic[5];
    struct stat st;

    if (program == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (folder && (stat(program, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0))
        return hf_err_set(err, EINVAL, "--agent: folder '%.100s' has no program " HF_HOST_AGENT, path);
    if (folder)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return hf_err_sys(err, -errno, "open '%s'", path);
    if (pread(fd, magic, sizeof(magic), 257) != sizeof(magic) || memcmp(magic, "ustar", sizeof(magic)) != 0)
        return hf_err_set(err, EINVAL, "--agent: '%.100s' is neither a folder nor a tar archive", path);
    return 0;
}

static int open_new(struct hf_release_files *files, const struct artifact *artifact, struct hf_cli_map *map,
                    struct hf_err *err)
{
    bool tree = is_folder(artifact->new_path);

    if (files->agent) {
        int r = check_agent(artifact->new_path, tree, err);
        if (r < 0)
            return r;
    } else if (json_array_size(files->artifacts) > 0 && tree != files->tree) {
        return hf_err_set(err, EINVAL, "--artifact: a release cannot mix files and folders");
    }
    files->tree = tree || files->agent;
    if (!tree && getxattr(artifact->new_path, "security.capability", NULL, 0) > 0)
        (void)fprintf(files->cli->err,
                      "warning: '%s' has file capabilities, which a release does not carry: a node keeps those of the "
                      "installed file, and a first installation has none (AmbientCapabilities= of the unit gives them "
                      "to the service)\n",
                      artifact->new_path);
    return open_input(files, artifact->new_path, tree, true, map, err);
}

static int add_artifact(struct hf_release_files *files, const struct artifact *artifact, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *entry = NULL, *deltas = json_array(), *report = json_array(), *steps = NULL;
    _cleanup_(hf_cli_map_done) struct hf_cli_map map = {.p = NULL};
    char hex[HF_SHA256_HEX], wire_hex[HF_SHA256_HEX];
    uint64_t wire_bytes = 0;

    int r = open_new(files, artifact, &map, err);
    if (r < 0)
        return r;
    _cleanup_(hf_freep) char *name =
        hf_asprintf("%s-%s%s%s", files->stem, artifact->arch, files->tree ? ".tar" : "", files->pack ? ".zst" : "");
    if (name == NULL || deltas == NULL || report == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (map.n == 0)
        return hf_err_set(err, EBADMSG, "'%s' is empty", artifact->new_path);
    (void)hf_sha256_hex(map.p, map.n, hex);
    r = make_whole(files, name, &map, &wire_bytes, wire_hex, err);
    for (size_t i = 0; r == 0 && i < artifact->n_olds; i++)
        r = add_delta(files, artifact, artifact->olds[i], &map, hex, wire_bytes, deltas, report, err);
    if (r == 0)
        r = hf_release_steps(files, &(struct hf_artifact){.arch = artifact->arch, .sha256 = hex}, wire_bytes, deltas,
                             report, &steps, err);
    if (r < 0)
        return r;
    _cleanup_(hf_freep) char *url = hf_release_file_url(files->url_base, name, wire_hex);
    entry = json_pack("{s:s, s:s, s:s, s:I}", "arch", artifact->arch, "url", url != NULL ? url : "", "sha256", hex,
                      "size", (json_int_t)map.n);
    if (entry == NULL || url == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (files->pack)
        r = hf_cli_put(entry, "download", json_pack("{s:s, s:I}", "sha256", wire_hex, "size", (json_int_t)wire_bytes),
                       err);
    if (r == 0 && json_array_size(deltas) > 0)
        r = hf_cli_put(entry, "deltas", hf_steal(deltas), err);
    if (r == 0 && json_array_size(steps) > 0)
        r = hf_cli_put(entry, "steps", hf_steal(steps), err);
    if (r == 0)
        r = hf_cli_append(files->artifacts, hf_steal(entry), err);
    if (r == 0)
        r = hf_cli_append(files->report,
                          json_pack("{s:s, s:s, s:I, s:I, s:O}", "arch", artifact->arch, "file", name, "bytes",
                                    (json_int_t)map.n, "wireBytes", (json_int_t)wire_bytes, "deltas", report),
                          err);
    return r;
}

int hf_release_add(struct hf_release_files *files, const char *spec, struct hf_err *err)
{
    struct artifact artifact = {.n_olds = 0};
    int r = parse_spec(spec, &artifact, err);

    if (r == 0)
        r = add_artifact(files, &artifact, err);
    free(artifact.spec);
    return r;
}

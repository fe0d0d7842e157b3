/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simupdate.h"

#include <errno.h>

#include "base/parse.h"

#include "codec/pack.h"
#include "codec/sha256.h"
#include "delta/delta.h"
#include "support/makers/signatures.h"
#include "trust/key.h"
#include "trust/trust.h"

#define STATE "/var/lib/holdfast"
#define TRUST "/etc/holdfast/trust.d"

enum { N_CONTENTS = 6 };
static const char *const names[N_CONTENTS] = {"v1", "v2", "v3", "broken", "stray", "dead"};

static void must(bool good)
{
    if (!good)
        abort();
}

/* ---- content ----------------------------------------------------------------------------------------------------- */

static unsigned char *make_content(size_t which)
{
    unsigned char *bytes = malloc(HF_SIM_CONTENT);
    uint64_t x = 88172645463325252ull;

    must(bytes != NULL);
    for (size_t i = 0; i < HF_SIM_CONTENT; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (unsigned char)x;
    }
    for (size_t i = 100 * which; i < HF_SIM_CONTENT; i += 5000)
        bytes[i] = (unsigned char)(which + 1);
    memcpy(bytes, names[which], strlen(names[which]) + 1);
    return bytes;
}

const void *hf_sim_content(const char *name, size_t *ret_n)
{
    static unsigned char *contents[N_CONTENTS];

    for (size_t i = 0; i < N_CONTENTS; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        if (contents[i] == NULL)
            contents[i] = make_content(i);
        *ret_n = HF_SIM_CONTENT;
        return contents[i];
    }
    abort();
}

const char *hf_sim_content_name(const void *bytes, size_t n)
{
    for (size_t i = 0; i < N_CONTENTS; i++) {
        size_t m;
        const void *content = hf_sim_content(names[i], &m);
        if (n == m && memcmp(bytes, content, n) == 0)
            return names[i];
    }
    return NULL;
}

static int add(void *ctx, const void *bytes, size_t n)
{
    return hf_buf_add(ctx, bytes, n);
}

struct keys {
    struct hf_buf private_pem, public_pem;
};

/* One key pair for the process and one that nobody knows. */
static const struct keys *keys(bool other)
{
    static struct keys both[2] = {{HF_BUF_INIT(4096), HF_BUF_INIT(4096)}, {HF_BUF_INIT(4096), HF_BUF_INIT(4096)}};

    if (both[other].private_pem.n == 0) {
        must(hf_trust_generate(&both[other].private_pem, &both[other].public_pem, NULL) == 0);
        signatures_prepare(&both[other].private_pem, &both[other].public_pem);
    }
    return &both[other];
}

/* Before the tests fork: what they do not allocate they need not free (check_main.h). */
__attribute__((constructor)) static void make_once(void)
{
    size_t n;

    (void)keys(false);
    (void)keys(true);
    for (size_t i = 0; i < N_CONTENTS; i++)
        (void)hf_sim_content(names[i], &n);
}

/* ---- artifacts --------------------------------------------------------------------------------------------------- */

static void free_file(void *value)
{
    hf_buf_done(value);
    free(value);
}

static struct hf_buf *file_new(struct hf_simupdate *world, const char *url)
{
    struct hf_buf *file = calloc(1, sizeof(*file));

    must(file != NULL);
    file->max = 1 << 22;
    must(hf_strmap_put(&world->files, url, file) == 0);
    return file;
}

/* A ustar archive with a program, a link to it and a folder. */
static void tar_member(struct hf_buf *tar, const char *name, char type, unsigned mode, const char *target,
                       const void *bytes, size_t n)
{
    unsigned char block[512] = {0};
    unsigned sum = 0;
    static const char zeros[512];

    (void)snprintf((char *)block, 100, "%s", name);
    (void)snprintf((char *)block + 100, 8, "%07o", mode);
    (void)snprintf((char *)block + 108, 8, "%07o", 0u);
    (void)snprintf((char *)block + 116, 8, "%07o", 0u);
    (void)snprintf((char *)block + 124, 12, "%011zo", n);
    (void)snprintf((char *)block + 136, 12, "%011o", 0u);
    memset(block + 148, ' ', 8);
    block[156] = (unsigned char)type;
    (void)snprintf((char *)block + 157, 100, "%s", target);
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += block[i];
    (void)snprintf((char *)block + 148, 8, "%06o", sum);
    must(hf_buf_add(tar, block, sizeof(block)) == 0 && hf_buf_add(tar, bytes, n) == 0);
    must(hf_buf_add(tar, zeros, (512 - n % 512) % 512) == 0);
}

static void make_tar(const char *content, struct hf_buf *tar)
{
    static const char zeros[1024];
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    tar_member(tar, "./", '5', 0755, "", "", 0);
    tar_member(tar, "bin/", '5', 0755, "", "", 0);
    tar_member(tar, "bin/app", '0', 0755, "", bytes, n);
    tar_member(tar, "bin/link", '2', 0777, "app", "", 0);
    tar_member(tar, "share/deep/note", '0', 0644, "", "hello\n", 6);
    tar_member(tar, "bin/twin", '1', 0755, "bin/app", "", 0);
    must(hf_buf_add(tar, zeros, sizeof(zeros)) == 0);
}

/* The same folder's canonical archive (pkg/pack/FORMAT.md), as deltas need it. */
static void make_canonical_tar(const char *content, struct hf_buf *tar)
{
    static const char zeros[1024];
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    tar_member(tar, "bin", '5', 0755, "", "", 0);
    tar_member(tar, "bin/app", '0', 0755, "", bytes, n);
    tar_member(tar, "bin/link", '2', 0777, "app", "", 0);
    tar_member(tar, "bin/twin", '1', 0755, "bin/app", "", 0);
    tar_member(tar, "share", '5', 0755, "", "", 0);
    tar_member(tar, "share/deep", '5', 0755, "", "", 0);
    tar_member(tar, "share/deep/note", '0', 0644, "", "hello\n", 6);
    must(hf_buf_add(tar, zeros, sizeof(zeros)) == 0);
}

/* What a release installs when its content is this. */
static void make_plain(const struct hf_sim_release *release, const char *content, struct hf_buf *file)
{
    size_t n;

    if (release->tree && release->canonical) {
        make_canonical_tar(content, file);
    } else if (release->tree) {
        make_tar(content, file);
    } else {
        const void *bytes = hf_sim_content(content, &n);
        must(hf_buf_add(file, bytes, n) == 0);
    }
}

static void free_made(void *value)
{
    hf_buf_done(value);
    free(value);
}

static struct hf_strmap made = {.free_value = free_made};

static void forget_made(void)
{
    hf_strmap_done(&made);
}

/* What a process makes once under this name, empty at first: a walk publishes one release at each place. A test's own
 * process frees it at its end, which then needs no search for leaks. */
static struct hf_buf *made_once(const char *name)
{
    struct hf_buf *bytes = hf_strmap_get(&made, name);

    if (bytes == NULL) {
        must(made.n > 0 || atexit(forget_made) == 0);
        bytes = calloc(1, sizeof(*bytes));
        must(bytes != NULL);
        bytes->max = 1 << 22;
        must(hf_strmap_put(&made, name, bytes) == 0);
    }
    return bytes;
}

static struct hf_view pack_of(const char *name, const struct hf_buf *plain)
{
    struct hf_buf *packed = made_once(name);

    if (packed->n == 0) {
        _cleanup_(hf_pack_freep) struct hf_pack *pack = hf_pack_new(add, packed, plain->n);
        must(pack != NULL && hf_pack_feed(pack, plain->p, plain->n, NULL) == 0 && hf_pack_finish(pack, NULL) == 0);
    }
    return hf_buf_view(packed);
}

/* Serves the whole file and states in the artifact what of it is packed. */
static void serve_whole(struct hf_simupdate *world, const struct hf_sim_release *release, const char *url,
                        const struct hf_buf *plain, json_t *artifact)
{
    struct hf_buf *file = file_new(world, url);
    char sha256[HF_SHA256_HEX], name[160];

    if (!release->packed) {
        must(hf_buf_add(file, plain->p, plain->n) == 0);
        return;
    }
    (void)snprintf(name, sizeof(name), "%s %d", url, release->canonical);
    struct hf_view pack = pack_of(name, plain);
    must(hf_buf_add(file, pack.p, pack.n) == 0);
    if (!release->no_download)
        must(json_object_set_new(artifact, "download",
                                 json_pack("{s:s, s:I}", "sha256", hf_sha256_hex(file->p, file->n, sha256), "size",
                                           (json_int_t)file->n)) == 0);
}

/* The delta between two contents of this kind. */
static struct hf_view delta_of(const char *name, const struct hf_buf *old, const struct hf_buf *plain)
{
    static const struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    struct hf_buf *delta = made_once(name);
    struct hf_delta_out out = {delta, add};

    if (delta->n == 0)
        must(hf_delta_create(old->p, old->n, plain->p, plain->n, &params, &out, NULL) == 0);
    return hf_buf_view(delta);
}

/* One from content to content: an entry of `deltas` or `steps`. */
static json_t *serve_one(struct hf_simupdate *world, const struct hf_sim_release *release, const char *from,
                         const char *to, const struct hf_buf *plain)
{
    _cleanup_(hf_buf_done) struct hf_buf old = HF_BUF_INIT(1 << 22);
    char url[128], name[160], from_hex[HF_SHA256_HEX], sha256[HF_SHA256_HEX];

    make_plain(release, from, &old);
    (void)snprintf(url, sizeof(url), "http://files/%s-%s.delta", from, to);
    struct hf_buf *file = file_new(world, url);
    (void)snprintf(name, sizeof(name), "%s %d %d", url, release->tree, release->canonical);
    struct hf_view delta = delta_of(name, &old, plain);
    must(hf_buf_add(file, delta.p, delta.n) == 0);
    return json_pack("{s:s, s:s, s:s, s:I}", "from", hf_sha256_hex(old.p, old.n, from_hex), "url", url, "sha256",
                     hf_sha256_hex(file->p, file->n, sha256), "size", (json_int_t)file->n);
}

/* By way of other content: a step there, and a delta from there. */
static void serve_steps(struct hf_simupdate *world, const struct hf_sim_release *release, const struct hf_buf *plain,
                        json_t *artifact)
{
    _cleanup_(hf_buf_done) struct hf_buf between = HF_BUF_INIT(1 << 22);
    char sha256[HF_SHA256_HEX];

    make_plain(release, release->via, &between);
    json_t *step = serve_one(world, release, release->delta_from, release->via, &between);
    must(json_object_set_new(step, "to", json_string(hf_sha256_hex(between.p, between.n, sha256))) == 0);
    must(json_object_set_new(step, "toSize", json_integer((json_int_t)between.n)) == 0);
    must(json_object_set_new(artifact, "steps", json_pack("[o]", step)) == 0);
    must(json_object_set_new(artifact, "deltas",
                             json_pack("[o]", serve_one(world, release, release->via, release->content, plain))) == 0);
}

static void serve_deltas(struct hf_simupdate *world, const struct hf_sim_release *release, const struct hf_buf *plain,
                         json_t *artifact)
{
    if (release->via != NULL) {
        serve_steps(world, release, plain, artifact);
        return;
    }
    json_t *delta = serve_one(world, release, release->delta_from, release->content, plain);
    if (release->delta_requires != NULL)
        must(json_object_set(delta, "requires", release->delta_requires) == 0);
    must(json_object_set_new(artifact, "deltas", json_pack("[o]", delta)) == 0);
}

/* ---- the object -------------------------------------------------------------------------------------------------- */

static void merge(json_t *into, json_t *patch)
{
    const char *key;
    json_t *value;

    json_object_foreach(patch, key, value) {
        json_t *there = json_object_get(into, key);
        if (json_is_null(value))
            (void)json_object_del(into, key);
        else if (json_is_object(value) && json_is_object(there))
            merge(there, value);
        else
            must(json_object_set(into, key, value) == 0);
    }
}

static json_t *signatures(const json_t *release, const char *with)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    bool other = with != NULL && strcmp(with, "other") == 0;

    if (with != NULL && with[0] == '\0')
        return json_array();
    must(hf_json_canonical(release, &text, NULL) == 0);
    return signatures_by(other ? "stranger" : "k1", &keys(other)->private_pem, hf_buf_view(&text));
}

static json_t *health(void)
{
    return json_pack("{s:s, s:[{s:{s:s}, s:s, s:i}, {s:s}]}", "deadline", "1m", "checks", "http", "url",
                     "http://127.0.0.1:8080/healthz", "period", "1s", "successThreshold", 2, "systemdUnitActive",
                     "app.service");
}

static json_t *make_object(struct hf_simupdate *world, struct hf_sim_release *release)
{
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(1 << 22);
    char url[128], sha256[HF_SHA256_HEX];
    const char *path = release->path != NULL ? release->path : release->tree ? "/opt/app/current" : HF_SIM_TARGET;

    make_plain(release, release->content, &plain);
    (void)snprintf(url, sizeof(url), "http://files/%s%s%s", release->content, release->tree ? ".tar" : "",
                   release->packed ? ".zst" : "");
    json_t *artifact =
        json_pack("{s:s, s:s, s:s, s:I}", "arch", "amd64", "url", release->url != NULL ? release->url : url, "sha256",
                  hf_sha256_hex(plain.p, plain.n, sha256), "size", (json_int_t)plain.n);
    serve_whole(world, release, url, &plain, artifact);
    if (release->delta_from != NULL)
        serve_deltas(world, release, &plain, artifact);
    if (release->device != NULL)
        must(json_object_set_new(artifact, "requires", json_pack("{s:[s]}", "devices", release->device)) == 0);
    json_t *install = release->agent ? json_pack("{s:s}", "kind", "Agent")
                                     : json_pack("{s:s, s:s}", "kind", release->tree ? "Tree" : "File", "path", path);
    if (!release->no_restart && !release->agent)
        must(json_object_set_new(install, "restart", json_pack("{s:s}", "systemdUnit", "app.service")) == 0);
    json_t *spec = json_pack("{s:s, s:s, s:I, s:[o], s:o}", "name", release->name, "version", release->version,
                             "sequence", (json_int_t)release->sequence, "artifacts", artifact, "install", install);
    if (!release->no_expiry)
        must(json_object_set_new(spec, "expires", json_string("2100-01-01T00:00:00Z")) == 0);
    if (!release->no_checks)
        must(json_object_set_new(spec, "health", health()) == 0);
    json_t *object = json_pack("{s:s, s:s, s:{s:s}, s:{s:o}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate",
                               "metadata", "name", release->name, "spec", "release", spec);
    must(object != NULL);
    return object;
}

static void serve_files(struct hf_simupdate *world)
{
    for (size_t i = 0; i < world->files.n; i++) {
        const struct hf_buf *file = world->files.entries[i].value;
        struct hf_fake_answer answer = world->answer;
        if (answer.body == NULL) {
            answer.body = file->p;
            answer.n = file->n;
        }
        answer.ranges = !answer.endless && !world->no_ranges;
        answer.etag = world->etag != NULL ? world->etag : "\"e1\"";
        hf_fake_http_on(world->http, "GET", world->files.entries[i].key, &answer);
    }
}

void hf_simupdate_serve(struct hf_simupdate *world)
{
    hf_fake_http_clear(world->http);
    serve_files(world);
}

static size_t find_object(const struct hf_simupdate *world, const char *name)
{
    size_t i = 0;

    while (i < world->n_objects && strcmp(hf_json_str_or(world->objects[i], "spec.release.name", ""), name) != 0)
        i++;
    return i;
}

/* Sequence of the release of this name that is wanted now; 2 without one. */
static uint64_t last_sequence(const struct hf_simupdate *world, const char *name)
{
    size_t i = find_object(world, name);

    return i < world->n_objects ? (uint64_t)hf_json_int_or(world->objects[i], "spec.release.sequence", 2) : 2;
}

/* Another release than the wanted one of this name gets the next sequence, as two releases never share one. */
static void raise_sequence(const struct hf_simupdate *world, json_t *object, const char *name)
{
    size_t i = find_object(world, name);
    const json_t *before = i < world->n_objects ? hf_json_at(world->objects[i], "spec.release") : NULL;
    json_t *release = json_object_get(json_object_get(object, "spec"), "release");

    if (before != NULL && !json_equal(before, release))
        must(json_object_set_new(release, "sequence", json_integer((json_int_t)last_sequence(world, name) + 1)) == 0);
}

void hf_simupdate_publish(struct hf_simupdate *world, const struct hf_sim_release *release)
{
    struct hf_sim_release r = *release;

    r.name = r.name != NULL ? r.name : r.agent ? HF_AGENT_RELEASE : "app";
    r.tree = r.tree || r.agent;
    r.version = r.version != NULL ? r.version : r.content;
    r.sequence = r.sequence != 0 ? r.sequence : last_sequence(world, r.name);
    json_t *object = make_object(world, &r);
    if (r.patch != NULL)
        merge(object, r.patch);
    if (release->sequence == 0)
        raise_sequence(world, object, r.name);
    json_t *spec = json_object_get(object, "spec");
    must(json_object_set_new(spec, "signatures", signatures(json_object_get(spec, "release"), r.sign_with)) == 0);
    if (r.patch_after != NULL)
        merge(object, r.patch_after);
    json_decref(r.patch);
    json_decref(r.patch_after);
    json_decref(r.delta_requires);
    size_t i = find_object(world, r.name);
    if (i == world->n_objects)
        world->n_objects++;
    must(i < HF_SIM_MAX_STATUS);
    json_decref(world->objects[i]);
    world->objects[i] = object;
    world->gates[i] = HF_GATE_OPEN;
    if (world->http != NULL) {
        hf_fake_http_clear(world->http);
        serve_files(world);
    }
    hf_simupdate_tell(world);
}

void hf_simupdate_trust_other(struct hf_simupdate *world)
{
    const struct hf_buf *pem = &keys(true)->public_pem;

    hf_simfs_put(world->fs, TRUST "/stranger.pem", pem->p, pem->n, 0644);
}

void hf_simupdate_withdraw(struct hf_simupdate *world, const char *name)
{
    size_t i = find_object(world, name);

    must(i < world->n_objects);
    json_decref(world->objects[i]);
    world->n_objects--;
    world->objects[i] = world->objects[world->n_objects];
    world->gates[i] = world->gates[world->n_objects];
    world->objects[world->n_objects] = NULL;
    hf_simupdate_tell(world);
}

void hf_simupdate_set_gate(struct hf_simupdate *world, const char *name, enum hf_desired_gate gate)
{
    size_t i = find_object(world, name);

    must(i < world->n_objects);
    world->gates[i] = gate;
    hf_simupdate_tell(world);
}

void hf_simupdate_look(struct hf_simupdate *world)
{
    if (world->engine != NULL)
        hf_update_engine_check_drift(world->engine);
}

void hf_simupdate_tell(struct hf_simupdate *world)
{
    struct hf_desired desired[HF_SIM_MAX_STATUS];
    static struct hf_issues issues;

    if (world->engine == NULL)
        return;
    for (size_t i = 0; i < world->n_objects; i++) {
        desired[i] = (struct hf_desired){.gate = world->gates[i],
                                         .turn_missing = world->turn_missing,
                                         .writes_used_up = world->writes_used_up,
                                         .link = world->link};
        int r = hf_edgeupdate_decode(world->objects[i], &desired[i].update, &issues);
        if (r < 0)
            (void)fprintf(stderr, "%s: %s\n", issues.errors[0].path, issues.errors[0].text);
        must(r == 0);
    }
    world->set_r = hf_update_engine_set(world->engine, desired, world->n_objects, NULL);
    must(world->set_r == 0 || world->set_r == -E2BIG);
    for (size_t i = 0; i < world->n_objects; i++)
        hf_edgeupdate_free(desired[i].update);
}

/* ---- the service ------------------------------------------------------------------------------------------------- */

static void run_what_is_there(struct hf_simupdate *world)
{
    const char *path = "/opt/app/current/bin/app";
    const char *now = hf_simupdate_target(world, HF_SIM_TARGET);

    if (strcmp(now, "absent") == 0)
        now = hf_simupdate_target(world, path);
    world->is_dead = strcmp(now, "dead") == 0;
    (void)snprintf(world->running, sizeof(world->running), "%s",
                   strcmp(now, "absent") == 0 || world->is_dead ? "" : now);
}

static bool is_service(const struct hf_simupdate *world, const char *unit)
{
    return strcmp(unit, world->unit != NULL ? world->unit : "app.service") == 0;
}

static int restart(void *arg, const char *unit)
{
    struct hf_simupdate *world = arg;

    world->restarts++;
    if (!is_service(world, unit))
        return -ENOENT;
    if (world->restart_r != 0)
        return world->restart_r;
    if (world->self) {
        world->self_restarted = true;
        return HF_SIMHOST_HANGS;
    }
    run_what_is_there(world);
    return world->running[0] != '\0' ? 0 : -EIO;
}

static int state(void *arg, const char *unit, const char **ret_active_state)
{
    struct hf_simupdate *world = arg;

    *ret_active_state = world->unit_state != NULL ? world->unit_state : world->is_dead ? "failed" : "active";
    return is_service(world, unit) ? world->state_r : -ENOENT;
}

static int exec(void *arg, const char *const *argv, int *ret_exit_code)
{
    struct hf_simupdate *world = arg;

    world->execs++;
    if (world->run != NULL)
        return world->run(world, argv, ret_exit_code);
    *ret_exit_code = world->exec_code;
    return world->exec_r;
}

static int tcp(void *arg, const char *host, uint16_t port)
{
    const struct hf_simupdate *world = arg;

    (void)host;
    return port == 8080 && world->running[0] != '\0' ? 0 : -ECONNREFUSED;
}

static void healthz(void *arg, struct hf_simcall *call)
{
    const struct hf_simupdate *world = arg;
    bool good = world->running[0] != '\0' && strcmp(world->running, "broken") != 0;

    if (world->running[0] == '\0')
        hf_simcall_fail(call, -ECONNREFUSED);
    else
        hf_simcall_reply(call, good ? 200 : 503, "text/plain", good ? "ok" : "broken");
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

static int meets(void *arg, const struct hf_requires *requires_, struct hf_err *err)
{
    const struct hf_simupdate *world = arg;

    (void)requires_;
    return world->meets_r < 0 ? hf_err_set(err, -world->meets_r, "a GPU is missing") : 0;
}

static bool disk_critical(void *arg, const char *path, struct hf_err *err)
{
    const struct hf_simupdate *world = arg;

    must(path[0] == '/');
    if (world->disk_critical)
        (void)hf_err_set(err, ENOSPC, "the file system is critically full");
    return world->disk_critical;
}

static bool disk_warned(void *arg, const char *path)
{
    const struct hf_simupdate *world = arg;

    must(path[0] == '/');
    return world->disk_warned || world->disk_critical;
}

static uint64_t disk_reserve(void *arg, uint64_t disk_bytes)
{
    const struct hf_simupdate *world = arg;

    must(disk_bytes > world->reserve_bytes);
    return world->reserve_bytes;
}

static void changed(void *arg)
{
    struct hf_simupdate *world = arg;

    world->changes++;
}

static void after_each(void *arg)
{
    struct hf_simupdate *world = arg;

    if (world->check != NULL && !hf_simfs_stopped(world->fs))
        world->check(world);
}

static void put_boot_id(struct hf_simupdate *world)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "boot-%u\n", ++world->boots);

    hf_simfs_put(world->fs, "/proc/sys/kernel/random/boot_id", text, (size_t)n, 0444);
}

static bool allows_exec(void *arg, const char *program, struct hf_err *err)
{
    const struct hf_simupdate *world = arg;

    if (world->only_exec == NULL || strcmp(world->only_exec, program) == 0)
        return true;
    (void)hf_err_set(err, EACCES, "'%s' is not allowed: add it", program);
    return false;
}

static bool allows_unit(void *arg, const char *unit, struct hf_err *err)
{
    const struct hf_simupdate *world = arg;

    if (world->only_unit == NULL || strcmp(world->only_unit, unit) == 0)
        return true;
    (void)hf_err_set(err, EACCES, "'%s' is not allowed: add it", unit);
    return false;
}

static bool names_unit(void *arg, const char *unit)
{
    const struct hf_simupdate *world = arg;

    return world->named_unit != NULL && strcmp(world->named_unit, unit) == 0;
}

struct hf_simupdate *hf_simupdate_new(uint64_t seed)
{
    struct hf_simupdate *world = calloc(1, sizeof(*world));
    const struct hf_buf *pem = &keys(false)->public_pem;

    must(world != NULL);
    world->seed = seed;
    world->loop = hf_simloop_new(seed);
    world->fs = hf_simfs_new();
    world->files.free_value = free_file;
    hf_simloop_after_each(world->loop, after_each, world);
    hf_simfs_put(world->fs, TRUST "/k1.pem", pem->p, pem->n, 0644);
    hf_simfs_mkdir(world->fs, STATE, 0700);
    hf_simfs_mkdir(world->fs, "/opt", 0755);
    put_boot_id(world);
    return world;
}

void hf_simupdate_put_old(struct hf_simupdate *world, const char *content)
{
    size_t n;
    const void *bytes = hf_sim_content(content, &n);

    hf_simfs_put(world->fs, HF_SIM_TARGET, bytes, n, 0755);
    run_what_is_there(world);
}

static uint64_t world_mono(void *ctx)
{
    const struct hf_simupdate *world = ctx;

    return hf_mono_ns(hf_simproc_clock(world->proc));
}

static uint64_t world_unix(void *ctx)
{
    const struct hf_simupdate *world = ctx;

    return hf_unix_ns(hf_simproc_clock(world->proc));
}

static void world_range(void *ctx, struct hf_time_range *ret_range)
{
    const struct hf_simupdate *world = ctx;

    *ret_range = world->range != NULL ? *world->range : hf_clock_range(hf_simproc_clock(world->proc));
}

void hf_simupdate_boot(struct hf_simupdate *world)
{
    static const char *const roots[] = {"/opt", "/usr/local", NULL};
    struct hf_simhost_world host = {.arg = world, .exec = exec, .connect = tcp, .restart = restart, .state = state};
    struct hf_update_params params = {.state_dir = STATE,
                                      .trust_dir = TRUST,
                                      .roots = roots,
                                      .arch = "amd64",
                                      .pod_mode = world->pod_mode,
                                      .host_root = world->host_root,
                                      .life = world->life,
                                      .retry_base_ns = HF_NS_PER_S,
                                      .retry_cap_ns = 30 * HF_NS_PER_S,
                                      .meets = meets,
                                      .disk_reserve = world->reserve_bytes != 0 ? disk_reserve : NULL,
                                      .disk_critical = disk_critical,
                                      .disk_warned = disk_warned,
                                      .watch = world->watch,
                                      .allows_exec = allows_exec,
                                      .allows_unit = allows_unit,
                                      .names_unit = names_unit,
                                      .changed = changed,
                                      .arg = world};
    struct hf_err err = HF_ERR_INIT;
    char text[520];

    must(world->proc == NULL);
    world->lives++;
    world->self_restarted = false;
    if (world->self)
        run_what_is_there(world);
    world->proc = hf_simproc_new(world->loop, "agent");
    world->http = hf_fake_http_new(world->loop, world->proc);
    hf_simnet_serve(hf_fake_http_net(world->http), "http://127.0.0.1:8080/healthz", healthz, world);
    serve_files(world);
    world->host = hf_simhost_new(world->proc, &host);
    world->clock =
        (struct hf_clock_ops){.ctx = world, .mono_ns = world_mono, .unix_ns = world_unix, .range = world_range};
    params.world = hf_simproc_world(world->proc, hf_simfs_ops(world->fs));
    params.world.clock = &world->clock;
    params.world.log = world->log;
    params.world.metrics = world->metrics;
    params.http = hf_fake_http_ops(world->http);
    params.proc = hf_simhost_proc(world->host);
    params.probe = hf_simhost_probe(world->host);
    params.unit = hf_simhost_unit(world->host);
    params.self_unit = world->self ? "app.service" : NULL;
    int r = hf_update_engine_new(&params, &world->engine, &err);
    if (r < 0) {
        world->engine = NULL;
        if (!hf_simfs_stopped(world->fs))
            (void)fprintf(stderr, "boot: %s\n", hf_err_text(&err, text, sizeof(text)));
    } else {
        hf_update_engine_set_retain(world->engine, &world->retain);
    }
    hf_simupdate_tell(world);
}

static void end_life(struct hf_simupdate *world)
{
    hf_update_engine_free(world->engine);
    world->engine = NULL;
    if (world->proc == NULL)
        return;
    hf_simproc_kill(world->proc); /* jobs come back now */
    hf_simhost_free(world->host);
    hf_fake_http_free(world->http);
    hf_simproc_free(world->proc);
    world->proc = NULL;
    world->http = NULL;
    world->host = NULL;
}

static bool is_rested(void *arg)
{
    const struct hf_simupdate *world = arg;

    return hf_update_engine_quiesced(world->engine);
}

/* Jobs under way are brought to their end, as a loop that is freed does. */
void hf_simupdate_stop(struct hf_simupdate *world)
{
    if (world->engine != NULL) {
        hf_update_engine_quiesce(world->engine);
        (void)hf_simloop_run_until(world->loop, is_rested, world, 5 * HF_NS_PER_S);
    }
    hf_update_engine_free(world->engine);
    world->engine = NULL;
    while (world->proc != NULL && hf_simproc_jobs(world->proc) > 0 && hf_simloop_step(world->loop))
        ;
    end_life(world);
}

void hf_simupdate_kill(struct hf_simupdate *world)
{
    hf_simfs_stop_at(world->fs, 1); /* nothing of what is freed now may reach the disk */
    (void)hf_simfs_ops(world->fs)->fsync(hf_simfs_ops(world->fs)->ctx, -1);
    if (world->proc != NULL)
        hf_simproc_kill(world->proc);
    end_life(world);
    hf_simfs_kill(world->fs);
}

void hf_simupdate_power_cut(struct hf_simupdate *world, uint64_t seed)
{
    hf_simupdate_kill(world);
    hf_simfs_power_cut(world->fs, seed);
    put_boot_id(world);
    run_what_is_there(world);
}

void hf_simupdate_free(struct hf_simupdate *world)
{
    if (world == NULL)
        return;
    world->check = NULL;
    hf_simupdate_kill(world);
    for (size_t i = 0; i < world->n_objects; i++)
        json_decref(world->objects[i]);
    hf_simloop_free(world->loop);
    hf_simfs_free(world->fs);
    hf_strmap_done(&world->files);
    free(world);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

struct looking {
    const char *name;
    struct hf_sim_seen seen;
    bool all_settled;
};

static void look(void *arg, const struct hf_update_status *status)
{
    struct looking *looking = arg;
    struct hf_sim_seen *seen = &looking->seen;

    looking->all_settled = looking->all_settled && status->settled;
    if (strcmp(status->name, looking->name) != 0)
        return;
    *seen = (struct hf_sim_seen){.phase = status->phase,
                                 .sequence = status->sequence,
                                 .bytes_fetched = status->bytes_fetched,
                                 .attempts = status->attempts,
                                 .settled = status->settled};
    (void)snprintf(seen->name, sizeof(seen->name), "%s", status->name);
    (void)snprintf(seen->version, sizeof(seen->version), "%s", status->version);
    (void)snprintf(seen->digest, sizeof(seen->digest), "%s", status->digest);
    (void)snprintf(seen->from, sizeof(seen->from), "%s", status->from);
    (void)snprintf(seen->installed, sizeof(seen->installed), "%s", status->installed);
    (void)snprintf(seen->method, sizeof(seen->method), "%s", status->method);
    (void)snprintf(seen->reason, sizeof(seen->reason), "%s", status->reason);
    (void)snprintf(seen->message, sizeof(seen->message), "%s", status->message);
}

struct hf_sim_seen hf_simupdate_see(struct hf_simupdate *world, const char *name)
{
    struct looking looking = {.name = name, .all_settled = true};

    if (world->engine != NULL)
        hf_update_engine_each(world->engine, look, &looking);
    return looking.seen;
}

static bool settled(void *arg)
{
    struct hf_simupdate *world = arg;
    struct looking looking = {.name = "", .all_settled = true};

    if (hf_simfs_stopped(world->fs) || world->engine == NULL || world->self_restarted)
        return true;
    hf_update_engine_each(world->engine, look, &looking);
    return looking.all_settled;
}

bool hf_simupdate_settle_within(struct hf_simupdate *world, uint64_t ns)
{
    return hf_simloop_run_until(world->loop, settled, world, ns) && !hf_simfs_stopped(world->fs) &&
           world->engine != NULL && !world->self_restarted;
}

bool hf_simupdate_settle(struct hf_simupdate *world)
{
    return hf_simupdate_settle_within(world, 3600 * HF_NS_PER_S);
}

bool hf_simupdate_settle_lives(struct hf_simupdate *world, unsigned lives)
{
    bool done = hf_simupdate_settle(world);

    for (; world->self_restarted && !hf_simfs_stopped(world->fs) && lives > 0; lives--) {
        hf_simupdate_stop(world);
        hf_simupdate_boot(world);
        done = hf_simupdate_settle(world);
    }
    return done;
}

struct phase_wait {
    struct hf_simupdate *world;
    const char *name;
    enum hf_phase phase;
};

static bool in_phase(void *arg)
{
    const struct phase_wait *wait = arg;

    return hf_simupdate_see(wait->world, wait->name).phase == wait->phase;
}

bool hf_simupdate_until_phase(struct hf_simupdate *world, const char *name, enum hf_phase phase)
{
    struct phase_wait wait = {world, name, phase};

    return hf_simloop_run_until(world->loop, in_phase, &wait, 3600 * HF_NS_PER_S);
}

void hf_simupdate_run_for(struct hf_simupdate *world, uint64_t ns)
{
    (void)hf_simloop_run_for(world->loop, ns);
}

const char *hf_simupdate_target(struct hf_simupdate *world, const char *path)
{
    char followed[512];
    const char *link = hf_simfs_link_text(world->fs, "/opt/app/current");
    struct stat st;
    size_t n;

    if (link != NULL && strncmp(path, "/opt/app/current/", 17) == 0) {
        (void)snprintf(followed, sizeof(followed), "/opt/app/%s/%s", link, path + 17);
        path = followed;
    }
    if (!hf_simfs_stat(world->fs, path, &st))
        return "absent";
    const void *bytes = hf_simfs_get(world->fs, path, &n);
    const char *name = bytes != NULL ? hf_sim_content_name(bytes, n) : NULL;
    return name != NULL ? name : "torn";
}

struct leftover {
    struct hf_simupdate *world;
    char *text;
    size_t n;
};

static void judge(void *arg, const char *path, const struct stat *st)
{
    struct leftover *leftover = arg;
    const char *base = strrchr(path, '/') + 1, *link = hf_simfs_link_text(leftover->world->fs, "/opt/app/current");
    char tree[512];

    (void)st;
    (void)snprintf(tree, sizeof(tree), "/opt/app/%s", link != NULL ? link : "?");
    bool in_tree = link != NULL && (strncmp(path, tree, strlen(tree)) == 0 ||
                                    (strncmp(tree, path, strlen(path)) == 0 && tree[strlen(path)] == '/'));
    bool good =
        strcmp(base, "journal") == 0 || strcmp(base, "floor.0") == 0 || strcmp(base, "floor.1") == 0 ||
        strcmp(base, "lock") == 0 || strcmp(base, "committed") == 0 || strcmp(base, "previous") == 0 ||
        (strncmp(base, "manifest.", 9) == 0 && strstr(base, ".new") == NULL) ||
        (strncmp(path, STATE "/rollbacks/", sizeof(STATE "/rollbacks/") - 1) == 0 && strstr(base, ".new") == NULL) ||
        (S_ISDIR(st->st_mode) && strncmp(path, "/var", 4) == 0);
    if (strncmp(path, STATE "/host", sizeof(STATE "/host") - 1) == 0) /* what simlife.h leaves there */
        good = strncmp(base, ".holdfast", 9) != 0 || strcmp(base, ".holdfast-" HF_AGENT_RELEASE ".tree") == 0 ||
               strcmp(base, ".holdfast-" HF_AGENT_RELEASE ".kept") == 0;
    if (strncmp(path, "/opt", 4) == 0 && strstr(path, ".kept") != NULL)
        good = strstr(path, ".new") == NULL;
    else if (strncmp(path, "/opt", 4) == 0)
        good = in_tree || strncmp(base, ".holdfast", 9) != 0 || strcmp(path, "/opt/.holdfast-floors") == 0;
    if (!good && leftover->text[0] == '\0')
        (void)snprintf(leftover->text, leftover->n, "%s", path);
}

const char *hf_simupdate_leftover(struct hf_simupdate *world)
{
    static char text[512];
    struct leftover leftover = {world, text, sizeof(text)};

    text[0] = '\0';
    hf_simfs_walk(world->fs, "/opt", judge, &leftover);
    hf_simfs_walk(world->fs, STATE, judge, &leftover);
    return text[0] != '\0' ? text : NULL;
}

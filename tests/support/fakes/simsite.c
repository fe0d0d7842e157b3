/* SPDX-License-Identifier: Apache-2.0 */
#include "support/fakes/simsite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/meta.h"
#include "base/parse.h"
#include "codec/sha256.h"
#include "delta/delta.h"
#include "support/delta_io.h"
#include "support/makers/signatures.h"
#include "trust/key.h"
#include "trust/trust.h"

enum { FILE_BYTES = 24 * 1024, PIECE = 512 };

struct blob {
    struct hf_buf bytes;
    char sha256[HF_SHA256_HEX];
};

struct release {
    struct blob file, delta; /* delta: from the release before; empty for the first */
    const char *temper;
};

struct hf_simsite {
    char name[32];
    struct release *releases;
    size_t n;
    struct hf_buf private_pem, public_pem, stranger_pem, ignored_pem;
};

static void must(bool held)
{
    if (!held)
        abort();
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

/* Every eighth piece differs from one release to the next. */
static void make_file(struct hf_simsite *site, size_t i)
{
    struct blob *file = &site->releases[i].file;

    must(hf_buf_addf(&file->bytes, "release %s 1.%zu.0 %s\n", site->name, i + 1, site->releases[i].temper) == 0);
    for (uint64_t at = 0; at < FILE_BYTES / sizeof(uint64_t); at++) {
        uint64_t piece = at / (PIECE / sizeof(uint64_t));
        uint64_t word = mix(at * 1000 + (piece % 8 == i % 8 ? i : 0));
        must(hf_buf_add(&file->bytes, &word, sizeof(word)) == 0);
    }
    (void)hf_sha256_hex(file->bytes.p, file->bytes.n, file->sha256);
}

static void make_delta(struct hf_simsite *site, size_t i)
{
    const struct hf_buf *old = &site->releases[i - 1].file.bytes, *new_bytes = &site->releases[i].file.bytes;
    struct blob *delta = &site->releases[i].delta;
    struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    struct hf_delta_out out = delta_io_out(&delta->bytes);

    must(hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, NULL) == 0);
    (void)hf_sha256_hex(delta->bytes.p, delta->bytes.n, delta->sha256);
}

struct hf_simsite *hf_simsite_new(const char *name, size_t releases, const char *const *tempers)
{
    struct hf_simsite *site = calloc(1, sizeof(*site));
    struct hf_buf *pems[4];

    must(site != NULL);
    (void)snprintf(site->name, sizeof(site->name), "%s", name);
    site->releases = calloc(releases, sizeof(*site->releases));
    must(site->releases != NULL);
    pems[0] = &site->private_pem;
    pems[1] = &site->public_pem;
    pems[2] = &site->stranger_pem;
    pems[3] = &site->ignored_pem;
    for (size_t i = 0; i < HF_LEN(pems); i++)
        pems[i]->max = 4096;
    must(hf_trust_generate(&site->private_pem, &site->public_pem, NULL) == 0);
    must(hf_trust_generate(&site->stranger_pem, &site->ignored_pem, NULL) == 0);
    signatures_prepare(&site->private_pem, &site->public_pem);
    signatures_prepare(&site->stranger_pem, &site->ignored_pem);
    for (site->n = 0; site->n < releases; site->n++) {
        struct release *release = &site->releases[site->n];
        release->temper = tempers[site->n];
        release->file.bytes.max = release->delta.bytes.max = 4 * FILE_BYTES;
        make_file(site, site->n);
        if (site->n > 0)
            make_delta(site, site->n);
    }
    return site;
}

void hf_simsite_free(struct hf_simsite *site)
{
    if (site == NULL)
        return;
    for (size_t i = 0; i < site->n; i++) {
        hf_buf_done(&site->releases[i].file.bytes);
        hf_buf_done(&site->releases[i].delta.bytes);
    }
    hf_buf_done(&site->private_pem);
    hf_buf_done(&site->public_pem);
    hf_buf_done(&site->stranger_pem);
    hf_buf_done(&site->ignored_pem);
    free(site->releases);
    free(site);
}

const char *hf_simsite_public_pem(const struct hf_simsite *site)
{
    return hf_buf_str(&site->public_pem);
}

struct hf_view hf_simsite_content(const struct hf_simsite *site, size_t i)
{
    return hf_buf_view(&site->releases[i - 1].file.bytes);
}

const char *hf_simsite_temper(const struct hf_simsite *site, size_t i)
{
    return site->releases[i - 1].temper;
}

size_t hf_simsite_which(const struct hf_simsite *site, const void *bytes, size_t n)
{
    for (size_t i = 0; i < site->n; i++)
        if (site->releases[i].file.bytes.n == n && memcmp(site->releases[i].file.bytes.p, bytes, n) == 0)
            return i + 1;
    return 0;
}

/* ---- serving ------------------------------------------------------------------------------------------------------ */

/* "https://files/NAME/NUMBER", ".delta" behind it for the delta that leads there. */
static const struct blob *blob_for(const struct hf_simsite *site, const char *url)
{
    const char *tail = strrchr(url, '/') + 1;
    unsigned long i = strtoul(tail, NULL, 10);
    bool delta = strstr(tail, ".delta") != NULL;

    if (i < 1 || i > site->n || (delta && i == 1))
        return NULL;
    return delta ? &site->releases[i - 1].delta : &site->releases[i - 1].file;
}

/* "bytes=N-" when If-Range still fits the strong tag. */
static uint64_t first_byte(const struct hf_simcall *call, const char *etag)
{
    const char *range = hf_simcall_header(call, "Range"), *only_if = hf_simcall_header(call, "If-Range");
    unsigned long long start = 0;

    if (range == NULL || (only_if != NULL && strcmp(only_if, etag) != 0) || sscanf(range, "bytes=%llu-", &start) != 1)
        return 0;
    return start;
}

static void handle(void *arg, struct hf_simcall *call)
{
    const struct blob *blob = blob_for(arg, hf_simcall_url(call));
    struct hf_http_response response = {.status = 200, .content_type = "application/octet-stream"};

    if (blob == NULL) {
        hf_simcall_reply(call, 404, "text/plain", "no such file\n");
        return;
    }
    (void)snprintf(response.etag, sizeof(response.etag), "\"%.16s\"", blob->sha256);
    uint64_t start = first_byte(call, response.etag);
    if (start >= blob->bytes.n && start > 0) {
        hf_simcall_reply(call, 416, "text/plain", "nothing there\n");
        return;
    }
    response.content_length = (int64_t)(blob->bytes.n - start);
    if (start > 0) {
        response.status = 206;
        response.range_start = start;
        response.range_total = blob->bytes.n;
    }
    hf_simcall_respond(call, &response);
    for (size_t at = start; at < blob->bytes.n; at += 4096)
        hf_simcall_send(call, blob->bytes.p + at, HF_MIN((size_t)4096, blob->bytes.n - at));
    hf_simcall_end(call);
}

void hf_simsite_serve(struct hf_simsite *site, struct hf_simnet *net)
{
    char prefix[64];

    (void)snprintf(prefix, sizeof(prefix), "https://files/%s/", site->name);
    hf_simnet_serve(net, prefix, handle, site);
}

/* ---- updates ------------------------------------------------------------------------------------------------------ */

static void put(json_t *at, const char *path, json_t *value)
{
    must(hf_json_put(at, path, value) == 0);
}

static json_t *artifact(const struct hf_simsite *site, size_t i, const struct hf_simsite_twist *twist)
{
    const struct release *release = &site->releases[i - 1];
    const char *sha =
        twist->wrong_hash ? "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" : release->file.sha256;
    json_t *out = json_pack("{s:s, s:o, s:s, s:I}", "arch", twist->arch != NULL ? twist->arch : "amd64", "url",
                            json_sprintf("https://files/%s/%zu", site->name, i), "sha256", sha, "size",
                            (json_int_t)release->file.bytes.n);

    must(out != NULL);
    if (i > 1)
        put(out, "deltas",
            json_pack("[{s:s, s:o, s:s, s:I}]", "from", site->releases[i - 2].file.sha256, "url",
                      json_sprintf("https://files/%s/%zu.delta", site->name, i), "sha256", release->delta.sha256,
                      "size", (json_int_t)release->delta.bytes.n));
    return out;
}

static json_t *checks(const char *unit, const struct hf_simsite_twist *twist)
{
    json_t *list = json_pack("[{s:{s:s}, s:s, s:i}]", "http", "url", "http://127.0.0.1:8080/healthz", "period", "1s",
                             "successThreshold", 2);

    must(list != NULL);
    if (twist->exec_check)
        must(json_array_append_new(list, json_pack("{s:{s:[s,s]}}", "exec", "command", "/bin/check", unit)) == 0);
    if (twist->tcp_check)
        must(json_array_append_new(list, json_pack("{s:{s:i}}", "tcp", "port", 8080)) == 0);
    if (twist->unit_check)
        must(json_array_append_new(list, json_pack("{s:s}", "systemdUnitActive", unit)) == 0);
    return list;
}

static json_t *spec_release(const struct hf_simsite *site, size_t i, const struct hf_simsite_twist *twist)
{
    char unit[64], path[128];
    json_t *out;

    (void)snprintf(unit, sizeof(unit), "%s.service", site->name);
    (void)snprintf(path, sizeof(path), "/opt/%s/app", site->name);
    const char *restarted = twist->unit != NULL ? twist->unit : unit;
    out = json_pack("{s:s, s:o, s:I, s:[o], s:{s:s, s:s, s:{s:s}}, s:{s:s, s:o}}", "name", site->name, "version",
                    json_sprintf("1.%zu.0", i), "sequence", (json_int_t)i, "artifacts", artifact(site, i, twist),
                    "install", "path", twist->path != NULL ? twist->path : path, "mode", "0755", "restart",
                    "systemdUnit", restarted, "health", "deadline", twist->deadline != NULL ? twist->deadline : "30s",
                    "checks", checks(restarted, twist));
    must(out != NULL);
    put(out, "expires", json_string(twist->expires != NULL ? twist->expires : "2100-01-01T00:00:00Z"));
    if (twist->downgrade_from != 0)
        put(out, "downgradeFrom", json_pack("[I]", (json_int_t)twist->downgrade_from));
    return out;
}

static json_t *signature(const struct hf_buf *private_pem, const json_t *release)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);

    must(hf_json_canonical(release, &text, NULL) == 0);
    return signatures_by("k1", private_pem, hf_buf_view(&text));
}

json_t *hf_simsite_update(const struct hf_simsite *site, size_t i, const struct hf_simsite_twist *twist)
{
    static const struct hf_simsite_twist straight = {0};

    if (twist == NULL)
        twist = &straight;
    json_t *release = spec_release(site, i, twist);
    json_t *signatures = signature(twist->other_key ? &site->stranger_pem : &site->private_pem, release);
    if (twist->forged)
        put(release, "install.mode", json_string("0777"));
    json_t *out =
        json_pack("{s:s, s:s, s:{s:s}, s:{s:o, s:o}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate",
                  "metadata", "name", twist->object_name != NULL ? twist->object_name : site->name, "spec", "release",
                  release, "signatures", signatures);
    must(out != NULL);
    return out;
}

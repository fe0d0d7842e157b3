/* SPDX-License-Identifier: Apache-2.0 */
/* rollback: make the signed EdgeUpdate that takes a fleet back to an older release. Changes nothing in the cluster. */
#include <errno.h>
#include <string.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/encoding/hex.h"
#include "base/format.h"
#include "base/parse.h"
#include "cli/delta/patch.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/rollback_object.h"
#include "cli/node/rollback_local.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "cli/release/sign.h"
#include "cli/release/signed_by.h"
#include "codec/sha256.h"
#include "os/fd.h"

#define IN_CLUSTER "edgeupdate/"
#define DEFAULT_EXPIRES "90d"

const struct hf_cli_option hf_cli_rollback_options[] = {
    HF_CLI_LOCAL_OPTIONS,
    HF_CLI_OPTION("key", "FILE", "private key to sign with (NAME.key)", .repeats = true),
    HF_CLI_OPTION("key-id", "ID", "name of the public key in the nodes' trust folders (NAME); one per --key, in order",
                  .repeats = true),
    HF_CLI_TRUSTED_OPTION("CURRENT and OLDER"),
    HF_CLI_OPTION("sequence", "N", "sequence of the new release (one above CURRENT)"),
    HF_CLI_LEAP_OPTION,
    HF_CLI_OPTION("expires", "DURATION|TIME", "no node starts the rollback after this time (90d)"),
    HF_CLI_OPTION("at-once", NULL, "leave out spec.strategy: all nodes go back at once, and the annotation says so"),
    HF_CLI_OPTION("delta", "ARCH=PATCH", "patch from the file of CURRENT to that of OLDER (holdfast delta create)",
                  .repeats = true),
    HF_CLI_OPTION("url-base", "URL", "URL of the folder on the server that has the patches of --delta"),
    HF_CLI_OPTION("out", "FILE", "output file; '-': standard output (the default)"),
    HF_CLUSTER_OPTIONS,
    {.name = NULL},
};

/* ---- the two EdgeUpdates ----------------------------------------------------------------------------------------- */

static int fetch(struct hf_cli *cli, const struct hf_cli_args *args, const char *name, json_t **ret_update,
                 struct hf_err *err)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    int r = hf_cluster_open(cli, args, &cluster, err);

    if (r == 0)
        r = hf_cluster_call(cluster, &HF_KUBE_CALL(HF_KUBE_GET, HF_API_GROUP_VERSION, "edgeupdates", name), ret_update,
                            err);
    return r;
}

/* Reads and decodes one argument: edgeupdate/NAME in the cluster, or a file. */
static int read_argument(struct hf_cli *cli, const struct hf_cli_args *args, const char *word, json_t **ret_json,
                         struct hf_edgeupdate **ret_update, struct hf_err *err)
{
    size_t n = strlen(IN_CLUSTER);
    int r = strncmp(word, IN_CLUSTER, n) == 0 ? fetch(cli, args, word + n, ret_json, err)
                                              : hf_cli_read_update(cli, word, ret_json, err);

    return r == 0 ? hf_cli_decode_update(cli, word, *ret_json, ret_update, err) : r;
}

/* ---- deltas ------------------------------------------------------------------------------------------------------ */

struct patch_facts {
    struct hf_delta_info info;
    struct hf_deep_info deep; /* valid if deep.inside */
    char sha256[HF_SHA256_HEX];
    uint64_t size;
};

static int read_patch(struct hf_cli *cli, const char *path, struct patch_facts *facts, struct hf_err *err)
{
    _cleanup_(hf_closep) int fd = -1;
    struct hf_cli_patch patch = {.fd = -1};
    const struct hf_delta_in in = {&patch, hf_cli_patch_read};
    struct hf_delta_parts parts;
    struct hf_cli_map map = {.p = NULL};
    int r = hf_cli_map_open(cli, path, (size_t)1 << 31, &map, err);

    if (r < 0)
        return r;
    (void)hf_sha256_hex(map.p, map.n, facts->sha256);
    facts->size = map.n;
    hf_cli_map_done(&map);
    r = hf_cli_in_open(cli, path, &fd, err);
    patch.fd = fd;
    if (r == 0)
        r = hf_cli_patch_look(&patch, err);
    if (r < 0)
        return r;
    if (!hf_cli_patch_is_deep(&patch))
        return hf_delta_check(&in, &facts->info, &parts, err);
    r = hf_deep_read_info(&in, &facts->deep, err);
    facts->info = facts->deep.delta;
    return r;
}

static int check_patch(const struct patch_facts *facts, const struct hf_artifact *from, const struct hf_artifact *to,
                       struct hf_err *err)
{
    char old_hex[HF_SHA256_HEX], new_hex[HF_SHA256_HEX];

    (void)hf_hex_encode(facts->info.old_fingerprint, sizeof(facts->info.old_fingerprint), old_hex);
    (void)hf_hex_encode(facts->info.new_sha256, sizeof(facts->info.new_sha256), new_hex);
    if (strcmp(new_hex, to->sha256) != 0)
        return hf_err_set(err, EINVAL, "makes the file %.12s, but the file of OLDER is %.12s", new_hex, to->sha256);
    if (!facts->info.from_any && strncmp(from->sha256, old_hex, strlen(old_hex)) != 0)
        return hf_err_set(err, EINVAL, "starts from the file %.12s, but the file of CURRENT is %.12s", old_hex,
                          from->sha256);
    return 0;
}

static json_t *delta_entry(const struct patch_facts *facts, const char *from, const char *url)
{
    json_t *entry = json_pack("{s:s, s:s, s:s, s:I}", "from", from, "url", url, "sha256", facts->sha256, "size",
                              (json_int_t)facts->size);

    if (entry != NULL && facts->deep.inside)
        (void)json_object_set_new(entry, "requires",
                                  json_pack("{s:I, s:I}", "memory", (json_int_t)facts->deep.memory_bytes, "disk",
                                            (json_int_t)facts->deep.scratch_bytes));
    return entry;
}

static int add_delta(struct hf_cli *cli, const char *spec, const char *url_base, const struct hf_edgeupdate *current,
                     const struct hf_edgeupdate *older, json_t *update, struct hf_err *err)
{
    const char *equals = strchr(spec, '=');
    _cleanup_(hf_freep) char *arch = equals != NULL ? hf_asprintf("%.*s", (int)(equals - spec), spec) : NULL;
    struct patch_facts facts = {.size = 0};

    if (equals == NULL || arch == NULL)
        return hf_err_set(err, EINVAL, "--delta: '%.80s' is not ARCH=PATCH", spec);
    const struct hf_artifact *from = hf_release_artifact(&current->release, arch);
    const struct hf_artifact *to = hf_release_artifact(&older->release, arch);
    if (from == NULL || to == NULL)
        return hf_err_set(err, EINVAL, "--delta: %s has no artifact for '%.40s'", from == NULL ? "CURRENT" : "OLDER",
                          arch);
    int r = read_patch(cli, equals + 1, &facts, err);
    if (r == 0)
        r = check_patch(&facts, from, to, err);
    if (r == 0) {
        const char *slash = strrchr(equals + 1, '/');
        size_t n = strlen(url_base);
        _cleanup_(hf_freep) char *url = hf_asprintf("%.*s/%s", (int)(n > 0 && url_base[n - 1] == '/' ? n - 1 : n),
                                                    url_base, slash != NULL ? slash + 1 : equals + 1);
        r = hf_rollback_object_add_delta(update, arch, delta_entry(&facts, from->sha256, url != NULL ? url : ""), err);
    }
    hf_deep_info_done(&facts.deep);
    return r < 0 ? hf_err_wrap(err, r, "--delta '%s'", equals + 1) : 0;
}

static int add_deltas(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_edgeupdate *current,
                      const struct hf_edgeupdate *older, json_t *update, struct hf_err *err)
{
    const char *url_base = hf_cli_value(args, "url-base", NULL), *spec;
    int r = 0;

    if (hf_cli_count(args, "delta") > 0 && url_base == NULL)
        return hf_err_set(err, EINVAL, "--delta needs --url-base");
    for (size_t i = 0; r == 0 && (spec = hf_cli_nth_value(args, "delta", i)) != NULL; i++)
        r = add_delta(cli, spec, url_base, current, older, update, err);
    return r;
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static int read_terms(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_rollback *rollback,
                      char expires[HF_TIME_TEXT], struct hf_err *err)
{
    const char *sequence = hf_cli_value(args, "sequence", NULL), *text = hf_cli_value(args, "expires", DEFAULT_EXPIRES);
    uint64_t ns = 0;

    rollback->at_once = hf_cli_flag(args, "at-once");
    if (sequence != NULL && hf_parse_u64(sequence, 1, 9007199254740991, &rollback->sequence) < 0)
        return hf_err_set(err, EINVAL, "--sequence: '%.40s' is not a number from 1 to 9007199254740991", sequence);
    if (hf_parse_time(text, &ns) < 0) {
        int r = hf_cli_duration("expires", text, &ns, err);
        if (r < 0)
            return hf_err_set(err, EINVAL,
                              "--expires: '%.40s' is neither a duration (90d) nor a time (2027-02-01T00:00:00Z)", text);
        ns += hf_unix_ns(cli->clock);
    }
    if (ns <= hf_unix_ns(cli->clock))
        return hf_err_set(err, EINVAL, "--expires: %.40s has passed, so no node would start the rollback", text);
    rollback->expires = hf_format_time(ns, expires);
    return 0;
}

/* The sequence and the terms come from CURRENT, the rest from OLDER. */
static int check_grounds(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_edgeupdate *current,
                         const struct hf_edgeupdate *older, const json_t *made, struct hf_err *err)
{
    char what[120];

    (void)snprintf(what, sizeof(what), "OLDER ('%.80s')", args->words[1]);
    int r = hf_cli_check_signed(cli, args, older, what, err);
    (void)snprintf(what, sizeof(what), "CURRENT ('%.80s')", args->words[0]);
    if (r == 0)
        r = hf_cli_check_signed(cli, args, current, what, err);
    return r < 0 ? r
                 : hf_cli_check_leap(args, (uint64_t)hf_json_int_or(made, "spec.release.sequence", 0),
                                     current->release.sequence, err);
}

static int write_update(struct hf_cli *cli, const char *path, const json_t *update, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;
    int r = hf_yaml_format(update, &text) < 0 ? hf_err_set(err, ENOMEM, "out of memory") : 0;

    if (r == 0 && strcmp(path, "-") == 0) {
        (void)fputs(hf_buf_str(&text), cli->out);
        return 0;
    }
    if (r == 0)
        r = hf_cli_out_open(cli, path, 0644, &out, err);
    if (r == 0)
        r = hf_cli_out_write(&out, text.p, text.n, err);
    return r == 0 ? hf_cli_out_commit(&out, err) : r;
}

static size_t count_deltas(const struct hf_edgeupdate *made, const struct hf_edgeupdate *current)
{
    size_t n = 0;

    for (size_t i = 0; i < made->release.n_artifacts; i++) {
        const struct hf_artifact *artifact = &made->release.artifacts[i];
        const struct hf_artifact *from = hf_release_artifact(&current->release, artifact->arch);
        for (size_t k = 0; from != NULL && k < artifact->n_deltas; k++)
            if (strcmp(artifact->deltas[k].from, from->sha256) == 0) {
                n++;
                break;
            }
    }
    return n;
}

/* To standard error, because the object may go to standard output. */
static void print_next(struct hf_cli *cli, const char *path, const struct hf_edgeupdate *made,
                       const struct hf_edgeupdate *current)
{
    size_t deltas = count_deltas(made, current);
    bool piped = strcmp(path, "-") == 0;

    hf_cli_print_line(cli->err, "%s: %s %s (sequence %llu) back to %s (sequence %llu), digest %s", made->meta.name,
                      made->release.name, current->release.version, (unsigned long long)current->release.sequence,
                      made->release.version, (unsigned long long)made->release.sequence, made->release.digest);
    if (deltas < made->release.n_artifacts)
        hf_cli_print_line(cli->err, "%zu of %zu %s no delta from %s: these nodes fetch the whole file (--delta)",
                          made->release.n_artifacts - deltas, made->release.n_artifacts,
                          hf_noun(made->release.n_artifacts, "artifact has", "artifacts have"),
                          current->release.version);
    if (made->has_strategy)
        (void)fprintf(cli->err, "it spreads by spec.strategy, as the release before (--at-once leaves it out)\n");
    (void)fprintf(cli->err, "no node has changed yet; next: kubectl apply -f %s\n", piped ? "FILE" : path);
}

/* The two ways back share a name, and nothing else. */
static int check_way(const struct hf_cli_args *args, bool local, struct hf_err *err)
{
    static const char *const of_node[] = {"reason", "undo", "timeout", "state-dir"};

    for (size_t i = 0; i < args->n_options; i++) {
        const char *name = args->options[i]->name;
        bool is_of_node = strcmp(name, "local") == 0;
        for (size_t k = 0; k < HF_LEN(of_node); k++)
            is_of_node = is_of_node || strcmp(name, of_node[k]) == 0;
        if (is_of_node != local)
            return hf_err_set(err, EINVAL, local ? "--local and --%s exclude each other" : "--%s needs --local", name);
    }
    if (local)
        return args->n_words == 1 ? 0 : hf_err_set(err, EINVAL, "--local takes one argument: NAME");
    if (args->n_words < 2)
        return hf_err_set(err, EINVAL, "arguments are missing: CURRENT OLDER");
    return hf_cli_count(args, "key") > 0 ? 0 : hf_err_set(err, EINVAL, "option '--key FILE' is missing");
}

int hf_cli_rollback(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *current_json = NULL, *older_json = NULL, *made_json = NULL;
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *current = NULL, *older = NULL, *made = NULL;
    const char *path = hf_cli_value(args, "out", "-");
    struct hf_rollback rollback = {.sequence = 0};
    char expires[HF_TIME_TEXT];
    bool local = hf_cli_flag(args, "local");
    int r = check_way(args, local, err);

    if (r < 0 || local)
        return r < 0 ? r : hf_cli_rollback_local(cli, args, err);
    r = read_terms(cli, args, &rollback, expires, err);
    if (r == 0)
        r = read_argument(cli, args, args->words[0], &current_json, &current, err);
    if (r == 0)
        r = read_argument(cli, args, args->words[1], &older_json, &older, err);
    rollback.current = current_json;
    rollback.older = older_json;
    if (r == 0)
        r = hf_rollback_object_make(&rollback, &made_json, err);
    if (r == 0)
        r = check_grounds(cli, args, current, older, made_json, err);
    if (r == 0)
        r = add_deltas(cli, args, current, older, made_json, err);
    if (r == 0)
        r = hf_cli_sign_all(cli, args, made_json, err);
    if (r == 0)
        r = hf_cli_decode_update(cli, "the rollback", made_json, &made, err);
    if (r == 0)
        r = write_update(cli, path, made_json, err);
    if (r == 0)
        print_next(cli, path, made, current);
    return r;
}

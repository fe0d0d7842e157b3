/* SPDX-License-Identifier: Apache-2.0 */
/* release create: make a folder to upload and an EdgeUpdate to apply, from old and new files.
 *
 *     <out>.new-<pid>/  <name>-<version>-<arch>[.zst]          whole artifact
 *                       <name>-<version>-<arch>-from-<..>.delta
 *                       <name>-<version>.yaml                  the signed EdgeUpdate
 *
 * The last step renames the folder to <out>, so that it appears complete or not at all. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/edgeupdate.h"
#include "api/field/text.h"
#include "base/buf.h"
#include "base/format.h"
#include "base/net/url_mask.h"
#include "base/parse.h"
#include "cli/guard.h"
#include "cli/release/release_file.h"
#include "cli/release/release_plan.h"
#include "cli/release/release_spread.h"
#include "cli/release/release_target.h"
#include "cli/release/sign.h"
#include "cli/release/signed_by.h"
#include "os/dir.h"

enum { HF_RELEASE_MAX_PUBLISHED = 64 };

#define DEFAULT_EXPIRES "90d"

const struct hf_cli_option hf_cli_release_create_options[] = {
    HF_CLI_OPTION("out", "DIR", "folder to make, with its parents; it must not exist yet", .required = true),
    HF_CLI_OPTION("artifact", "ARCH=NEW[,old=OLD...]",
                  "new file (or folder) for an architecture (amd64, arm64, ...), and old files to make deltas from",
                  .required = true, .repeats = true),
    HF_CLI_OPTION(
        "published", "FILE",
        "EdgeUpdate of an earlier release whose deltas are still on the server; nodes may apply several in a row",
        .repeats = true),
    HF_CLI_TRUSTED_OPTION("--published"),
    HF_CLI_OPTION("url-base", "URL", "URL of the folder on the server, or oci://HOST/REPOSITORY", .required = true),
    HF_CLI_OPTION("template", "FILE", "EdgeUpdate to start from; options override it"),
    HF_CLI_OPTION("node-selector", "KEY=VALUE[,...]", "select nodes by labels, as with kubectl -l", .repeats = true),
    HF_CLI_OPTION("everywhere", NULL, "select all nodes of the cluster, at once unless the template has a strategy"),
    HF_CLI_OPTION("name", "NAME", "name of the release; a node keeps one history for each name"),
    HF_CLI_OPTION("version", "TEXT", "version for people"),
    HF_CLI_OPTION("sequence", "N", "number that grows with every release of this name"),
    HF_CLI_LEAP_OPTION,
    HF_CLI_OPTION("path", "PATH", "path of the file on the node"),
    HF_CLI_OPTION(
        "agent", NULL,
        "the release is the agent itself, for nodes in host mode; NEW is a folder with its programs, or a tar"),
    HF_CLI_OPTION("update-root", "DIR",
                  "update root of the nodes' agents (/opt, /usr/local, /var/lib/holdfast/payload)", .repeats = true),
    HF_CLI_OPTION("mode", "OCTAL", "mode of the file (that of the old file, else 0755)"),
    HF_CLI_OPTION("expires", "DURATION|TIME", "no node starts the update after this time (90d)"),
    HF_CLI_OPTION("downgrade-from", "N[,...]", "nodes that run this sequence may go down to the release, once",
                  .repeats = true),
    HF_CLI_OPTION("restart-unit", "UNIT", "systemd unit to restart after the swap"),
    HF_CLI_OPTION("restart-exec", "WORD", "command to run after the swap, one word each", .repeats = true),
    HF_CLI_OPTION("reboot", NULL, "the node reboots after the swap, instead of a restart"),
#define HOOK_OPTION(kind, field, flag, help_) HF_CLI_OPTION((flag), "WORD", help_, .repeats = true),
    HF_HOOKS(HOOK_OPTION)
#undef HOOK_OPTION
#define HEALTH_OPTION(kind, field, word, key, form, placeholder, help_)                                                \
    HF_CLI_OPTION("health-" word, (placeholder), help_, .repeats = true),
        HF_CHECK_KINDS(HEALTH_OPTION)
#undef HEALTH_OPTION
            HF_CLI_OPTION("no-health-check", NULL, "no health checks: roll back only if the restart fails"),
    HF_CLI_OPTION("health-threshold", "N", "number of times in a row that each check must pass (3)"),
    HF_CLI_OPTION("health-deadline", "DURATION", "roll back if the checks have not passed by then (2m)"),
    HF_CLI_OPTION("key", "FILE", "private key to sign with (NAME.key)", .repeats = true),
    HF_CLI_OPTION("key-id", "ID", "name of the public key in the nodes' trust folders (NAME); one per --key, in order",
                  .repeats = true),
    HF_CLI_OPTION("zst", NULL, "compress whole artifacts; nodes decompress them while fetching"),
    HF_CLI_OPTION("fast", NULL, "make deltas that apply faster and are somewhat larger"),
    HF_CLI_OPTION("threads", "N", "threads for making deltas (one per processor)", .letter = 'j'),
    HF_CLI_JSON("print the result as JSON"),
    {.name = NULL},
};

/* ---- the object ---- */

static int start_object(struct hf_cli *cli, const struct hf_cli_args *args, json_t **ret_update, struct hf_err *err)
{
    const char *template = hf_cli_value(args, "template", NULL);
    const char *name = hf_cli_value(args, "name", hf_cli_flag(args, "agent") ? HF_AGENT_RELEASE : NULL);
    _cleanup_(hf_json_freep) json_t *update = NULL;

    if (template != NULL) {
        int r = hf_cli_read_update(cli, template, &update, err);
        if (r < 0)
            return r;
        (void)json_object_del(update, "status");
        (void)json_object_del(hf_json_mutable(hf_json_at(update, "spec")), "signatures"); /* of another release */
        (void)json_object_del(hf_json_mutable(hf_json_at(update, "spec.release")), "signedAt");
        (void)json_object_del(hf_json_mutable(hf_json_at(update, "spec.release")), "downgradeFrom");
    } else {
        update = json_pack("{s:s, s:s, s:{s:s}, s:{s:{}}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate",
                           "metadata", "name", name != NULL ? name : "", "spec", "nodeSelector");
        if (update == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
    }
    *ret_update = hf_steal(update);
    return 0;
}

/* Sets the expiry: "90d" from now, or a time as it is. */
static int put_expires(struct hf_cli *cli, json_t *update, const char *text, struct hf_err *err)
{
    char when[HF_TIME_TEXT];
    uint64_t ns;

    if (hf_parse_time(text, &ns) == 0)
        return hf_cli_put(update, "spec.release.expires", json_string(text), err);
    int r = hf_cli_duration("expires", text, &ns, err);
    if (r < 0)
        return hf_err_set(err, EINVAL,
                          "--expires: '%.40s' is neither a duration (90d) nor a time (2027-02-01T00:00:00Z)", text);
    return hf_cli_put(update, "spec.release.expires", json_string(hf_format_time(hf_unix_ns(cli->clock) + ns, when)),
                      err);
}

struct text_option {
    const char *option, *path;
};

/* Copies the values of options into the object. */
static int put_texts(const struct hf_cli_args *args, json_t *update, const struct text_option *texts,
                     struct hf_err *err)
{
    for (; texts->option != NULL; texts++) {
        const char *value = hf_cli_value(args, texts->option, NULL);
        int r = value != NULL ? hf_cli_put(update, texts->path, json_string(value), err) : 0;
        if (r < 0)
            return hf_err_wrap(err, r, "--%s", texts->option);
    }
    return 0;
}

static int put_number(const struct hf_cli_args *args, json_t *update, const char *option, const char *path,
                      struct hf_err *err)
{
    const char *text = hf_cli_value(args, option, NULL);
    uint64_t value;

    if (text == NULL)
        return 0;
    if (hf_parse_u64(text, 0, (1ull << 53) - 1, &value) < 0)
        return hf_err_set(err, EINVAL, "--%s: '%.40s' is not an integer", option, text);
    return hf_cli_put(update, path, json_integer((json_int_t)value), err);
}

/* Returns all values of a repeated option as an array of strings; NULL: none, or out of memory. */
static json_t *words_of(const struct hf_cli_args *args, const char *option)
{
    json_t *words = hf_cli_nth_value(args, option, 0) != NULL ? json_array() : NULL;
    const char *word;

    for (size_t i = 0; words != NULL && (word = hf_cli_nth_value(args, option, i)) != NULL; i++)
        (void)json_array_append_new(words, json_string(word));
    return words;
}

/* Appends a health check with the fields that all checks have. */
static int add_check(json_t *checks, json_t *check, int64_t threshold, struct hf_err *err)
{
    if (check == NULL || json_object_set_new(check, "successThreshold", json_integer(threshold)) < 0) {
        json_decref(check);
        return hf_err_set(err, ENOMEM, "out of memory");
    }
    return hf_cli_append(checks, check, err);
}

/* The value of the flag in its form; NULL: no memory. */
static json_t *value_of(const struct hf_check_row *row, const struct hf_cli_args *args, const char *text)
{
    switch (row->form) {
    case HF_CHECK_FORM_PORT:
        return json_integer((json_int_t)strtoul(text, NULL, 10));
    case HF_CHECK_FORM_WORDS:
        return words_of(args, row->flag);
    case HF_CHECK_FORM_TEXT:
        break;
    }
    return json_string(text);
}

static json_t *check_of(const struct hf_check_row *row, json_t *value)
{
    json_t *part = value;

    if (row->key[0] != '\0')
        part = json_pack("{s:o}", row->key, value);
    if (row == &hf_release_check_rows[HF_CHECK_HTTP] && part != NULL &&
        json_object_set_new(part, "status", json_integer(200)) < 0) {
        json_decref(part);
        return NULL;
    }
    return json_pack("{s:o, s:s}", row->field, part, "period", "2s");
}

/* One check for each value of the flag; the values of a flag for words are one command. */
static int add_checks_of(const struct hf_check_row *row, const struct hf_cli_args *args, json_t *checks,
                         int64_t threshold, struct hf_err *err)
{
    const char *text;
    uint64_t port;
    int r = 0;

    for (size_t i = 0; r == 0 && (text = hf_cli_nth_value(args, row->flag, i)) != NULL; i++) {
        if (row->form == HF_CHECK_FORM_PORT && hf_parse_u64(text, 1, 65535, &port) < 0)
            return hf_err_set(err, EINVAL, "--%s: '%.40s' is not a port (1 to 65535)", row->flag, text);
        r = add_check(checks, check_of(row, value_of(row, args, text)), threshold, err);
        if (row->form == HF_CHECK_FORM_WORDS)
            break;
    }
    return r;
}

static int add_checks(const struct hf_cli_args *args, json_t *checks, int64_t threshold, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_CHECK_COUNT; i++)
        r = add_checks_of(&hf_release_check_rows[i], args, checks, threshold, err);
    return r;
}

static int put_health(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    const char *threshold_text = hf_cli_value(args, "health-threshold", "3");
    _cleanup_(hf_json_freep) json_t *checks = json_array();
    uint64_t threshold;

    if (checks == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (hf_parse_u64(threshold_text, 1, 1000, &threshold) < 0)
        return hf_err_set(err, EINVAL, "--health-threshold: '%.40s' is not a number from 1 to 1000", threshold_text);
    int r = add_checks(args, checks, (int64_t)threshold, err);
    if (r < 0 || json_array_size(checks) == 0)
        return r;
    return hf_cli_put(update, "spec.release.health.checks", hf_steal(checks), err);
}

/* Appends the sequences of one --downgrade-from, "41" or "41,40". */
static int add_downgrades(const char *text, json_t *sequences, struct hf_err *err)
{
    uint64_t sequence;

    for (const char *at = text;; at++) {
        size_t n = strcspn(at, ",");
        char number[24];
        (void)snprintf(number, sizeof(number), "%.*s", (int)HF_MIN(n, sizeof(number) - 1), at);
        if (n >= sizeof(number) || hf_parse_u64(number, 1, (1ull << 53) - 1, &sequence) < 0)
            return hf_err_set(err, EINVAL, "--downgrade-from: '%.40s' is not a list of sequences", text);
        int r = hf_cli_append(sequences, json_integer((json_int_t)sequence), err);
        at += n;
        if (r < 0 || *at == '\0')
            return r;
    }
}

static int put_downgrades(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *sequences = json_array();
    const char *text;

    for (size_t i = 0; (text = hf_cli_nth_value(args, "downgrade-from", i)) != NULL; i++) {
        int r = add_downgrades(text, sequences, err);
        if (r < 0)
            return r;
    }
    if (json_array_size(sequences) == 0)
        return 0;
    return hf_cli_put(update, "spec.release.downgradeFrom", hf_steal(sequences), err);
}

/* The words of a hook's flag are its argv; a timeout of the template stays. */
static int put_hooks(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    static const struct text_option hooks[] = {
#define HOOK_PATH(kind, field, flag, help_) {(flag), "spec.release.hooks." field ".argv"},
        HF_HOOKS(HOOK_PATH)
#undef HOOK_PATH
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_LEN(hooks); i++) {
        json_t *words = words_of(args, hooks[i].option);
        r = words != NULL ? hf_cli_put(update, hooks[i].path, words, err) : 0;
    }
    return r;
}

static int put_agent(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    static const char *const others[] = {
#define HOOK_FLAG(kind, field, flag, help_) flag,
        HF_HOOKS(HOOK_FLAG)
#undef HOOK_FLAG
            "path",
        "mode", "restart-unit", "restart-exec", "reboot"};
    int r = 0;

    for (size_t i = 0; i < HF_LEN(others); i++)
        if (hf_cli_count(args, others[i]) > 0)
            return hf_err_set(err, EINVAL,
                              "--agent: leave out --%s: place, restart and what runs then are the agent's own",
                              others[i]);
    if (hf_cli_value(args, "name", NULL) == NULL)
        r = hf_cli_put(update, "spec.release.name", json_string(HF_AGENT_RELEASE), err);
    return r == 0 ? hf_cli_put(update, "spec.release.install.kind", json_string("Agent"), err) : r;
}

static int put_options(struct hf_cli *cli, const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    /* In their order in the file. */
    static const struct text_option names[] = {
        {"name", "spec.release.name"}, {"version", "spec.release.version"}, {NULL, NULL}};
    static const struct text_option installs[] = {{"path", "spec.release.install.path"},
                                                  {"mode", "spec.release.install.mode"},
                                                  {"restart-unit", "spec.release.install.restart.systemdUnit"},
                                                  {"health-deadline", "spec.release.health.deadline"},
                                                  {NULL, NULL}};
    const char *kept = hf_json_str(update, "spec.release.expires");
    const char *expires = hf_cli_value(args, "expires", kept == NULL ? DEFAULT_EXPIRES : NULL);
    int r = put_texts(args, update, names, err);

    if (r == 0 && hf_cli_flag(args, "agent"))
        r = put_agent(args, update, err);
    if (r == 0)
        r = put_number(args, update, "sequence", "spec.release.sequence", err);
    if (r == 0 && expires != NULL)
        r = put_expires(cli, update, expires, err);
    if (r == 0)
        r = put_texts(args, update, installs, err);
    if (r == 0)
        r = put_downgrades(args, update, err);
    json_t *restart = r == 0 ? words_of(args, "restart-exec") : NULL;
    if (restart != NULL)
        r = hf_cli_put(update, "spec.release.install.restart.exec", restart, err);
    if (r == 0 && hf_cli_flag(args, "reboot") && hf_json_at(update, "spec.release.install.reboot") == NULL)
        r = hf_cli_put(update, "spec.release.install.reboot", json_object(), err);
    if (r == 0)
        r = put_hooks(args, update, err);
    return r == 0 ? put_health(args, update, err) : r;
}

/* Copies `requires` of each architecture from the template. */
static int keep_requires(json_t *update, json_t *artifacts, struct hf_err *err)
{
    const json_t *before = hf_json_at(update, "spec.release.artifacts");

    for (size_t i = 0; i < json_array_size(artifacts); i++)
        for (size_t k = 0; k < json_array_size(before); k++) {
            json_t *mine = json_array_get(artifacts, i), *theirs = json_array_get(before, k);
            json_t *needs = json_object_get(theirs, "requires");
            if (needs == NULL || strcmp(hf_json_str_or(mine, "arch", ""), hf_json_str_or(theirs, "arch", "?")) != 0)
                continue;
            if (json_object_set(mine, "requires", needs) < 0)
                return hf_err_set(err, ENOMEM, "out of memory");
        }
    return 0;
}

/* Writes the object and reads it back as a node will, so that nothing is published that YAML changes. */
static int write_update(struct hf_release_files *files, json_t *update, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    _cleanup_(hf_cli_out_done) struct hf_cli_out out = HF_CLI_OUT_INIT;
    _cleanup_(hf_freep) char *path = hf_asprintf("%s/%s.yaml", files->folder, files->stem);
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *made = NULL, *back = NULL;
    _cleanup_(hf_json_freep) json_t *read_back = NULL;

    if (path == NULL || hf_yaml_format(update, &text) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    char outdated[200];
    int r = hf_cli_decode_update(files->cli, "the new EdgeUpdate", update, &made, err);
    if (r == 0 && hf_release_outdated(&made->release, outdated, sizeof(outdated)) != NULL)
        r = hf_err_set(err, EINVAL, "no node would start the release: %s", outdated);
    if (r == 0)
        r = hf_yaml_parse(hf_buf_view(&text), NULL, &read_back, err);
    if (r == 0)
        r = hf_cli_decode_update(files->cli, "the new EdgeUpdate", read_back, &back, err);
    if (r == 0 && strcmp(made->release.digest, back->release.digest) != 0)
        r = hf_err_set(err, EIO, "the EdgeUpdate differs after writing and reading it back as YAML");
    if (r == 0)
        r = hf_cli_out_open(files->cli, path, 0644, &out, err);
    if (r == 0)
        r = hf_cli_out_write(&out, text.p, text.n, err);
    return r == 0 ? hf_cli_out_commit(&out, err) : r;
}

/* ---- the summary ---- */

static void print_delta(struct hf_cli *cli, const json_t *delta, uint64_t wire_bytes)
{
    const char *old = hf_json_str_or(delta, "old", ""), *left_out = hf_json_str(delta, "leftOut");
    uint64_t bytes = (uint64_t)hf_json_int_or(delta, "bytes", 0), way = (uint64_t)hf_json_int_or(delta, "wayBytes", 0);
    char size[HF_CLI_BYTES_TEXT];

    if (way != 0)
        (void)fprintf(cli->out, "         delta  %8s  from %.40s, by %lld deltas (%.1f %% of the whole)\n",
                      hf_cli_bytes(way, size), old, (long long)hf_json_int_or(delta, "wayDeltas", 0),
                      100.0 * (double)way / (double)wire_bytes);
    else if (left_out != NULL)
        (void)fprintf(cli->out, "         delta  left out  from %s: %s\n", old, left_out);
    else
        (void)fprintf(cli->out, "         delta  %8s  from %s (%.1f %% of the whole)\n", hf_cli_bytes(bytes, size), old,
                      100.0 * (double)bytes / (double)wire_bytes);
}

static void print_deltas(struct hf_cli *cli, const struct hf_release_files *files)
{
    size_t listed = 0, tried = 0;

    for (size_t i = 0; i < json_array_size(files->artifacts); i++)
        listed += json_array_size(hf_json_at(json_array_get(files->artifacts, i), "deltas"));
    for (size_t i = 0; i < json_array_size(files->report); i++)
        tried += json_array_size(hf_json_at(json_array_get(files->report, i), "deltas"));
    if (listed > 0)
        (void)fprintf(cli->out, "%zu %s: applied, and the result is the new file\n", listed,
                      hf_noun(listed, "delta", "deltas"));
    else
        (void)fprintf(cli->out, tried > 0 ? "no delta is small enough to pay: nodes fetch whole files\n"
                                          : "no old files (old=OLD), so no deltas: nodes fetch whole files\n");
}

static void print_summary(struct hf_cli *cli, const struct hf_release_files *files, const char *out,
                          const json_t *update)
{
    char nodes[HF_RELEASE_NODES_TEXT];

    (void)fprintf(cli->out, "%s %s, sequence %lld: %s/%s.yaml\n", hf_json_str_or(update, "spec.release.name", ""),
                  hf_json_str_or(update, "spec.release.version", ""),
                  (long long)hf_json_int_or(update, "spec.release.sequence", 0), out, files->stem);
    for (size_t i = 0; i < json_array_size(files->report); i++) {
        const json_t *artifact = json_array_get(files->report, i), *deltas = hf_json_at(artifact, "deltas");
        uint64_t wire_bytes = (uint64_t)hf_json_int_or(artifact, "wireBytes", 0);
        char size[HF_CLI_BYTES_TEXT];
        (void)fprintf(cli->out, "  %-6s whole  %8s  %s\n", hf_json_str_or(artifact, "arch", ""),
                      hf_cli_bytes(wire_bytes, size), hf_json_str_or(artifact, "file", ""));
        for (size_t k = 0; k < json_array_size(deltas); k++)
            print_delta(cli, json_array_get(deltas, k), wire_bytes);
    }
    const json_t *signatures = hf_json_at(update, "spec.signatures");
    for (size_t i = 0; i < json_array_size(signatures); i++)
        (void)fprintf(cli->out, "  signed by %s\n", hf_json_str_or(json_array_get(signatures, i), "keyId", ""));
    print_deltas(cli, files);
    bool pushes = strncmp(files->url_base, "oci://", 6) == 0;
    (void)fprintf(cli->out, "for %s; %s %s at %s\n", hf_release_nodes(update, nodes), pushes ? "push" : "serve", out,
                  files->url_base);
}

static int report(struct hf_cli *cli, const struct hf_cli_args *args, const struct hf_release_files *files,
                  const char *out, const json_t *update, struct hf_err *err)
{
    if (!hf_cli_flag(args, "json")) {
        print_summary(cli, files, out, update);
        return 0;
    }
    _cleanup_(hf_freep) char *manifest = hf_asprintf("%s/%s.yaml", out, files->stem);
    _cleanup_(hf_json_freep) json_t *answer =
        manifest == NULL ? NULL
                         : json_pack("{s:o, s:O}", "manifest", hf_cli_json_text(manifest), "artifacts", files->report);
    return answer != NULL ? hf_cli_print_json(cli, answer, err) : hf_err_set(err, ENOMEM, "out of memory");
}

/* ---- earlier releases ---- */

struct published {
    struct hf_edgeupdate *updates[HF_RELEASE_MAX_PUBLISHED];
    size_t n;
};

static void published_done(struct published *published)
{
    for (size_t i = 0; i < published->n; i++)
        hf_edgeupdate_free(published->updates[i]);
}

static int read_published(struct hf_cli *cli, const struct hf_cli_args *args, struct published *published,
                          struct hf_err *err)
{
    const char *path;
    char what[140];
    int r = 0;

    for (size_t i = 0; r == 0 && (path = hf_cli_nth_value(args, "published", i)) != NULL; i++) {
        _cleanup_(hf_json_freep) json_t *json = NULL;
        if (published->n == HF_RELEASE_MAX_PUBLISHED)
            return hf_err_set(err, E2BIG, "--published: more than %d", HF_RELEASE_MAX_PUBLISHED);
        r = hf_cli_read_update(cli, path, &json, err);
        if (r == 0)
            r = hf_cli_decode_update(cli, path, json, &published->updates[published->n], err);
        if (r < 0)
            break;
        const struct hf_edgeupdate *update = published->updates[published->n++];
        (void)snprintf(what, sizeof(what), "--published '%.100s'", path);
        r = hf_cli_check_signed(cli, args, update, what, err);
    }
    return r;
}

/* Compares the sequence with the highest one of the same name in --published and in `template`, its spec.release. */
static int check_sequence(const struct hf_cli_args *args, const struct published *published, const json_t *template,
                          const json_t *update, struct hf_err *err)
{
    const char *name = hf_json_str_or(update, "spec.release.name", "");
    uint64_t sequence = (uint64_t)hf_json_int_or(update, "spec.release.sequence", 0), before = 0;

    if (strcmp(hf_json_str_or(template, "name", ""), name) == 0)
        before = (uint64_t)hf_json_int_or(template, "sequence", 0);
    for (size_t i = 0; i < published->n; i++) {
        const struct hf_edgeupdate *one = published->updates[i];
        assert(one != NULL);
        if (strcmp(one->release.name, name) == 0)
            before = HF_MAX(before, one->release.sequence);
    }
    return before > 0 ? hf_cli_check_leap(args, sequence, before, err) : 0;
}

/* ---- the folder ---- */

static int make_release(struct hf_release_files *files, const struct hf_cli_args *args, json_t *update,
                        struct hf_err *err)
{
    const char *spec;
    int r = 0;

    for (size_t i = 0; r == 0 && (spec = hf_cli_nth_value(args, "artifact", i)) != NULL; i++)
        r = hf_release_add(files, spec, err);
    if (r == 0)
        r = keep_requires(update, files->artifacts, err);
    if (r == 0 && files->tree && !files->agent)
        r = hf_cli_put(update, "spec.release.install.kind", json_string("Tree"), err);
    if (r == 0)
        r = hf_cli_put(update, "spec.release.artifacts", json_incref(files->artifacts), err);
    if (hf_cli_count(args, "key") == 0)
        (void)fprintf(files->cli->err, "not signed: every node refuses it; sign it with `%s release sign`\n",
                      files->cli->program);
    if (r == 0)
        r = hf_cli_sign_all(files->cli, args, update, err);
    return r == 0 ? write_update(files, update, err) : r;
}

/* Returns the common part of file names, only with characters that are safe in every file system and URL. */
static char *make_stem(const json_t *update)
{
    char *stem = hf_asprintf("%s-%s", hf_json_str_or(update, "spec.release.name", "release"),
                             hf_json_str_or(update, "spec.release.version", "0"));

    for (char *p = stem; p != NULL && *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p) == NULL)
            *p = '_';
    return stem;
}

/* Before anything is made: what is wrong with it would be wrong with the URL of each file. */
static int check_url_base(const char *base, struct hf_err *err)
{
    static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
    size_t n = strlen(base);
    char shown[HF_URL_MASKED];

    while (n > 0 && base[n - 1] == '/')
        n--;
    _cleanup_(hf_freep) char *trimmed = strndup(base, n);
    _cleanup_(hf_freep) char *url = trimmed != NULL ? hf_release_file_url(trimmed, "file", none) : NULL;
    if (url == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return hf_text_is_url(url) ? 0
                               : hf_err_set(err, EINVAL,
                                            "--url-base '%s': expected http://..., https://..., file:///..., or "
                                            "oci://HOST/REPOSITORY in small letters, without tag and digest; none has "
                                            "a user or blanks",
                                            hf_url_mask(base, shown, sizeof(shown)));
}

static int check_options(const struct hf_cli_args *args, const char *out, unsigned *ret_threads, struct hf_err *err)
{
    uint64_t threads = 0;
    struct stat st;
    size_t keys = hf_cli_count(args, "key"), ids = hf_cli_count(args, "key-id");

    if (ids != 0 && keys != ids)
        return hf_err_set(err, EINVAL, "%zu --key and %zu --key-id: give one --key-id for each --key, or none at all",
                          keys, ids);
    if (hf_parse_u64(hf_cli_value(args, "threads", "0"), 0, 256, &threads) < 0)
        return hf_err_set(err, EINVAL, "--threads: '%.40s' is not a number from 0 to 256",
                          hf_cli_value(args, "threads", ""));
    if (lstat(out, &st) == 0)
        return hf_err_set(err, EEXIST, "'%s' exists already: --out must name a new folder", out);
    *ret_threads = (unsigned)threads;
    return check_url_base(hf_cli_value(args, "url-base", ""), err);
}

/* Returns the number of old files in all --artifact options. */
static unsigned count_olds(const struct hf_cli_args *args)
{
    const char *spec;
    unsigned n = 0;

    for (size_t i = 0; (spec = hf_cli_nth_value(args, "artifact", i)) != NULL; i++)
        for (const char *at = spec; (at = strstr(at, ",old=")) != NULL; at++)
            n++;
    return n;
}

static int create_in(struct hf_cli *cli, const struct hf_cli_args *args, const char *out, const char *folder,
                     unsigned threads, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *update = NULL, *artifacts = json_array(), *made = json_array();
    _cleanup_(hf_freep) char *url_base = strdup(hf_cli_value(args, "url-base", ""));
    _cleanup_(published_done) struct published published = {.n = 0};
    int r = start_object(cli, args, &update, err);
    _cleanup_(hf_json_freep) json_t *template = json_deep_copy(hf_json_at(update, "spec.release"));

    if (r == 0)
        r = put_options(cli, args, update, err);
    if (r == 0)
        r = hf_release_put_selector(args, update, err);
    if (r == 0)
        r = hf_release_put_spread(args, update, err);
    if (r == 0)
        r = hf_release_check_target(cli, args, update, err);
    if (r == 0)
        r = read_published(cli, args, &published, err);
    if (r == 0)
        r = check_sequence(args, &published, template, update, err);
    if (r < 0)
        return r;
    _cleanup_(hf_freep) char *stem = make_stem(update);
    if (artifacts == NULL || made == NULL || url_base == NULL || stem == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (size_t n = strlen(url_base); n > 0 && url_base[n - 1] == '/'; n--)
        url_base[n - 1] = '\0';
    struct hf_release_files files = {
        .cli = cli,
        .folder = folder,
        .stem = stem,
        .url_base = url_base,
        .pack = hf_cli_flag(args, "zst"),
        .agent = hf_release_is_agent(update),
        .fast = hf_cli_flag(args, "fast"),
        .threads = threads,
        .published = published.updates,
        .n_published = published.n,
        .n_olds = count_olds(args),
        .artifacts = artifacts,
        .report = made,
    };
    r = hf_dir_make(cli->fs, folder, 0755, err);
    if (r == 0)
        r = make_release(&files, args, update, err);
    hf_cli_progress_end(cli);
    if (r == 0)
        r = hf_dir_sync(cli->fs, folder, err);
    if (r == 0 && rename(folder, out) < 0)
        r = hf_err_sys(err, -errno, "rename '%s' to '%s'", folder, out);
    return r == 0 ? report(cli, args, &files, out, update, err) : r;
}

int hf_cli_release_create(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    _cleanup_(hf_freep) char *out = strdup(hf_cli_value(args, "out", ""));
    unsigned threads = 0;

    for (size_t n = out != NULL ? strlen(out) : 0; n > 1 && out[n - 1] == '/'; n--)
        out[n - 1] = '\0';
    _cleanup_(hf_freep) char *folder = out != NULL ? hf_asprintf("%s.new-%d", out, (int)getpid()) : NULL;
    if (folder == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    struct hf_cli_guard guard;
    int r = check_options(args, out, &threads, err);
    if (r == 0)
        r = hf_cli_guard_begin(cli->fs, folder, &guard, err);
    if (r < 0)
        return r;
    r = create_in(cli, args, out, folder, threads, err);
    hf_cli_guard_end(&guard);
    if (r < 0 && hf_dir_remove_tree(cli->fs, folder, NULL) < 0)
        (void)fprintf(cli->err, "cannot remove the unfinished folder '%s'\n", folder);
    return r;
}

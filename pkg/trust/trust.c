/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the signatures of releases, policies and manifests by the keys of the trust folder.
 *
 * Count the keys and read the threshold; without keys or signatures the verdict is known. Then compute the signed
 * text once, and verify each signature with the key of its id. Valid signatures are counted by raw key, so that one
 * key under two names counts once, and a repeated signature is verified once. The verdict is OK if the threshold is
 * reached.
 *
 * Doubt never lowers the bar: a threshold file that is damaged is an error, and so is a damaged key, unless enough
 * other signatures are valid. An error means that no verdict is possible now; a verdict other than OK is final until
 * keys or object change. Policies and manifests are signed with a text in front that no release can begin with, so a
 * signature of one kind never fits another. The error text names the keys that there are, because the usual cause is
 * a missing one. */
#include "trust/trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/encoding/base64.h"
#include "base/parse.h"
#include "trust/folder.h"
#include "trust/key.h"

const char *hf_trust_reason(enum hf_trust_verdict verdict)
{
    switch (verdict) {
    case HF_TRUST_OK:
        return "SignatureValid";
    case HF_TRUST_NO_KEYS:
        return "NoTrustedKeys";
    case HF_TRUST_UNKNOWN_KEY:
        return "UnknownKey";
    case HF_TRUST_BAD_SIGNATURE:
        return "SignatureInvalid";
    case HF_TRUST_BELOW_THRESHOLD:
        return "BelowThreshold";
    case HF_TRUST_UNSIGNED:
    default:
        return "Unsigned";
    }
}

enum { MAX_NAMES = 80, NAMES_TEXT = MAX_NAMES + 32 };

/* ---- the trust folder -------------------------------------------------------------------------------------------- */

struct keys {
    unsigned n, n_named;
    char names[MAX_NAMES]; /* "a, b": ids of the first keys, for messages */
    bool absent;           /* there is no folder */
};

static void add_key(struct keys *keys, const char *name, size_t id)
{
    size_t used = strlen(keys->names);

    if (keys->n_named == keys->n && used + id + 2 < sizeof(keys->names)) {
        (void)snprintf(keys->names + used, sizeof(keys->names) - used, "%s%.*s", used > 0 ? ", " : "", (int)id, name);
        keys->n_named++;
    }
    keys->n++;
}

static int count_key(void *arg, const char *name, unsigned char type)
{
    const char *dot = strrchr(name, '.');

    (void)type;
    if (dot != NULL && dot != name && strcmp(dot, ".pem") == 0)
        add_key(arg, name, (size_t)(dot - name));
    return 0;
}

static int count_keys(const struct hf_fs_ops *fs, const char *trust_dir, struct keys *keys, struct hf_err *err)
{
    int fd = hf_trust_folder_open(fs, trust_dir, err);
    int r;

    if (fd < 0 && fd != -ENOENT)
        return fd;
    if (fd >= 0) {
        r = fs->list(fs->ctx, fd, count_key, keys);
        (void)fs->close(fs->ctx, fd);
        if (r < 0)
            return hf_err_sys(err, r, "list trust folder '%s'", trust_dir);
    }
    if (keys->n > HF_TRUST_MAX_KEYS)
        return hf_err_set(err, E2BIG, "trust folder '%s' holds %u keys, the limit is %d", trust_dir, keys->n,
                          HF_TRUST_MAX_KEYS);
    keys->absent = fd < 0;
    return 0;
}

struct key_listing {
    const struct hf_fs_ops *fs;
    const char *trust_dir;
    struct hf_trust_ids *ids;
};

static int list_key(void *arg, const char *name, unsigned char type)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_TRUST_MAX_PEM);
    unsigned char raw[HF_ED25519_PUBLIC];
    struct key_listing *listing = arg;
    struct hf_trust_ids *ids = listing->ids;
    const char *dot = strrchr(name, '.');
    char id[HF_KEY_ID_MAX + 1];

    (void)type;
    if (dot == NULL || strcmp(dot, ".pem") != 0 || (size_t)(dot - name) >= sizeof(id))
        return 0;
    (void)snprintf(id, sizeof(id), "%.*s", (int)(dot - name), name);
    if (!hf_trust_key_id_valid(id) || hf_trust_folder_read(listing->fs, listing->trust_dir, name, &pem, NULL) < 0 ||
        hf_trust_public_raw(hf_buf_str(&pem), raw, NULL) < 0)
        return 0;
    if (ids->n == HF_TRUST_MAX_KEYS)
        return -E2BIG;
    memcpy(ids->ids[ids->n++], id, sizeof(id));
    return 0;
}

int hf_trust_list(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids, struct hf_err *err)
{
    struct key_listing listing = {fs, trust_dir, ret_ids};
    int fd = hf_trust_folder_open(fs, trust_dir, err);

    ret_ids->n = 0;
    if (fd < 0)
        return fd;
    int r = fs->list(fs->ctx, fd, list_key, &listing);
    (void)fs->close(fs->ctx, fd);
    qsort(ret_ids->ids, ret_ids->n, sizeof(ret_ids->ids[0]), hf_array_by_text);
    return r < 0 ? hf_err_sys(err, r, "list trust folder '%s'", trust_dir) : 0;
}

/* A damaged threshold file must not lower the threshold. */
static int read_threshold(const struct hf_fs_ops *fs, const char *trust_dir, unsigned *ret_threshold,
                          struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64);
    struct hf_err cause = HF_ERR_INIT;
    char number[64];
    uint64_t value;
    int r = hf_trust_folder_read(fs, trust_dir, "threshold", &text, &cause);

    if (r == -ENOENT) {
        *ret_threshold = 1;
        return 0;
    }
    if (r < 0)
        return hf_err_set(err, -r, "%s", cause.cause);
    struct hf_view trimmed = hf_view_trim(hf_buf_view(&text));
    (void)snprintf(number, sizeof(number), "%.*s", (int)trimmed.n, trimmed.p);
    if (strlen(number) != trimmed.n || hf_parse_u64(number, 1, HF_TRUST_MAX_KEYS, &value) < 0)
        return hf_err_set(err, EBADMSG, "'%.120s/threshold' must hold one number from 1 to %d", trust_dir,
                          HF_TRUST_MAX_KEYS);
    *ret_threshold = (unsigned)value;
    return 0;
}

/* "a, b and 3 more" */
static const char *name_keys(const struct keys *keys, char names[NAMES_TEXT])
{
    char more[NAMES_TEXT - MAX_NAMES] = "";

    if (keys->n > keys->n_named)
        (void)snprintf(more, sizeof(more), " and %u more", keys->n - keys->n_named);
    (void)snprintf(names, NAMES_TEXT, "%s%s", keys->n > 0 ? keys->names : "no keys", more);
    return names;
}

const char *hf_trust_describe(const struct hf_fs_ops *fs, const char *trust_dir, struct hf_trust_ids *ret_ids,
                              char *text, size_t n)
{
    struct keys keys = {.n = 0};
    struct hf_err err = HF_ERR_INIT;
    unsigned threshold = 1;
    char names[NAMES_TEXT], needed[32] = "";
    int r = hf_trust_list(fs, trust_dir, ret_ids, &err);

    if (r == 0)
        r = read_threshold(fs, trust_dir, &threshold, &err);
    if (r < 0 && r != -ENOENT)
        return hf_err_text(&err, text, n);
    for (unsigned i = 0; i < ret_ids->n; i++)
        add_key(&keys, ret_ids->ids[i], strlen(ret_ids->ids[i]));
    if (threshold > 1)
        (void)snprintf(needed, sizeof(needed), "; threshold %u", threshold);
    (void)snprintf(text, n, "%s%s", name_keys(&keys, names), needed);
    return text;
}

/* ---- one check --------------------------------------------------------------------------------------------------- */

struct check {
    const struct hf_fs_ops *fs;
    const char *trust_dir;
    const struct keys *keys;
    struct hf_view message;
    unsigned good, bad, unknown, damaged;
    unsigned char counted[HF_MAX_SIGNATURES][HF_ED25519_PUBLIC]; /* raw keys of the valid signatures */
    struct hf_err damage;                                        /* of the first damaged key */
    struct hf_buf details; /* "'a' is unknown here, 'b' does not verify"; drops text that does not fit */
};

static void add_detail(struct check *check, const char *key_id, const char *what)
{
    int r = hf_buf_addf(&check->details, "%s'%s' %s", check->details.n > 0 ? ", " : "", key_id, what);

    (void)r;
}

static void count_good(struct check *check, const unsigned char raw[HF_ED25519_PUBLIC])
{
    for (unsigned i = 0; i < check->good; i++)
        if (memcmp(check->counted[i], raw, HF_ED25519_PUBLIC) == 0)
            return;
    memcpy(check->counted[check->good++], raw, HF_ED25519_PUBLIC);
}

static int check_with(struct check *check, const struct hf_signature *signature, const char *pem, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(2 * HF_ED25519_SIGNATURE);
    unsigned char raw[HF_ED25519_PUBLIC], full[HF_ED25519_SIGNATURE];
    int r = hf_trust_public_raw(pem, raw, err);

    if (r < 0)
        return r;
    if (hf_base64_decode(hf_view_of(signature->signature), &bytes) < 0 || bytes.n != sizeof(full))
        return hf_err_set(err, EKEYREJECTED, "not a signature in Base64");
    memcpy(full, bytes.p, sizeof(full));
    r = hf_trust_verify(pem, check->message, full, err);
    if (r == 0)
        count_good(check, raw);
    return r;
}

/* A private key in the folder is the usual mistake: both halves of a pair are PEM files. */
static void set_damage(struct check *check, const char *path, const char *pem, int r, const struct hf_err *err)
{
    if (r == -EBADMSG && hf_trust_half_of(pem) == HF_TRUST_HALF_PRIVATE)
        (void)hf_err_set(&check->damage, -r,
                         "'%.120s' holds a private key; a trust folder takes the public half (holdfast key public)",
                         path);
    else if (r == -EBADMSG)
        (void)hf_err_set(&check->damage, -r, "'%.120s' %s", path, err->cause);
    else
        (void)hf_err_set(&check->damage, -r, "%s", err->cause); /* an error of reading names the file already */
}

/* Checks one signature and counts the result. Fails only with -ENOMEM. */
static int check_one(struct check *check, const struct hf_signature *signature)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_TRUST_MAX_PEM);
    struct hf_err err = HF_ERR_INIT;
    char path[512] = "", name[HF_KEY_ID_MAX + 5];
    int r = -ENOENT;

    if (hf_trust_key_id_valid(signature->key_id)) {
        (void)snprintf(name, sizeof(name), "%s.pem", signature->key_id);
        (void)snprintf(path, sizeof(path), "%s/%s", check->trust_dir, name);
        r = hf_trust_folder_read(check->fs, check->trust_dir, name, &pem, &err);
    }
    if (r == 0)
        r = check_with(check, signature, hf_buf_str(&pem), &err);
    if (r == -ENOMEM)
        return r;
    if (r == -ENOENT) {
        check->unknown++;
        add_detail(check, signature->key_id, "is not in the trust folder");
    } else if (r == -EKEYREJECTED) {
        check->bad++;
        add_detail(check, signature->key_id, "does not verify");
    } else if (r < 0) {
        if (check->damaged++ == 0)
            set_damage(check, path, hf_buf_str(&pem), r, &err);
        add_detail(check, signature->key_id, "cannot be read");
    }
    return 0;
}

/* A decoded object holds each name only once; check a repeated signature only once even if it does not. */
static bool seen_before(const struct hf_signature *signatures, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(signatures[k].key_id, signatures[i].key_id) == 0 &&
            strcmp(signatures[k].signature, signatures[i].signature) == 0)
            return true;
    return false;
}

static int check_all(struct check *check, const struct hf_signature *signatures, size_t n, struct hf_err *err)
{
    for (size_t i = 0; i < HF_MIN(n, (size_t)HF_MAX_SIGNATURES); i++)
        if (!seen_before(signatures, i) && check_one(check, &signatures[i]) < 0)
            return hf_err_set(err, ENOMEM, "not enough memory to check signatures");
    return 0;
}

/* For a signature by another key: where the keys come from and which there are. "; keys in '/etc/x/trust.d': a" */
static void describe_keys(const struct check *check, char *text, size_t n)
{
    char names[NAMES_TEXT];

    text[0] = '\0';
    if (check->unknown > 0)
        (void)snprintf(text, n, "; keys in '%s': %s", check->trust_dir, name_keys(check->keys, names));
}

static int conclude(const struct check *check, unsigned threshold, enum hf_trust_verdict *ret_verdict,
                    struct hf_err *err)
{
    enum hf_trust_verdict verdict = HF_TRUST_OK;
    char keys[200];

    if (check->good >= threshold) {
        *ret_verdict = verdict;
        return 0;
    }
    if (check->damaged > 0) {
        if (err != NULL)
            *err = check->damage;
        return -check->damage.code;
    }
    if (check->good > 0)
        verdict = HF_TRUST_BELOW_THRESHOLD;
    else
        verdict = check->bad > 0 ? HF_TRUST_BAD_SIGNATURE : HF_TRUST_UNKNOWN_KEY;
    describe_keys(check, keys, sizeof(keys));
    (void)hf_err_set(err, EKEYREJECTED, "%u of %u required signatures are valid%s%.*s%s", check->good, threshold,
                     check->details.n > 0 ? ": " : "", 200 - (int)HF_MIN(strlen(keys), 120u),
                     hf_buf_str(&check->details), keys);
    *ret_verdict = verdict;
    return 0;
}

/* What somebody signed. */
struct signed_text {
    const char *what; /* "release" */
    const struct hf_signature *signatures;
    size_t n_signatures;
    /* Appends the signed bytes of `object`; called only if there are keys and signatures. */
    int (*message)(const json_t *object, struct hf_buf *out, struct hf_err *err);
    const json_t *object;
};

/* Returns the verdict if it needs no look at a signature, else HF_TRUST_OK. */
static enum hf_trust_verdict judge_without(const char *trust_dir, const struct signed_text *text,
                                           const struct keys *keys, struct hf_err *err)
{
    if (keys->n > 0 && text->n_signatures > 0)
        return HF_TRUST_OK;
    (void)(keys->n == 0 ? hf_err_set(err, EKEYREJECTED, "trust folder '%s' %s: put public keys there as <key id>.pem",
                                     trust_dir, keys->absent ? "does not exist" : "holds no key")
                        : hf_err_set(err, EKEYREJECTED, "the %s is not signed", text->what));
    return keys->n == 0 ? HF_TRUST_NO_KEYS : HF_TRUST_UNSIGNED;
}

static int check_text(const struct hf_fs_ops *fs, const char *trust_dir, const struct signed_text *text,
                      enum hf_trust_verdict *ret_verdict, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(HF_API_MAX_OBJECT_BYTES);
    struct keys keys = {.n = 0};
    unsigned threshold = 0;
    int r = count_keys(fs, trust_dir, &keys, err);

    if (r == 0)
        r = read_threshold(fs, trust_dir, &threshold, err);
    if (r < 0)
        return r;
    enum hf_trust_verdict without = judge_without(trust_dir, text, &keys, err);
    if (without != HF_TRUST_OK) {
        *ret_verdict = without;
        return 0;
    }
    r = text->message(text->object, &message, err);
    if (r < 0)
        return r;
    struct check check = {
        .fs = fs, .trust_dir = trust_dir, .keys = &keys, .message = hf_buf_view(&message), .details = {.max = 400}};
    r = check_all(&check, text->signatures, text->n_signatures, err);
    if (r == 0)
        r = conclude(&check, threshold, ret_verdict, err);
    hf_buf_done(&check.details);
    return r;
}

int hf_trust_check(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_edgeupdate *update,
                   enum hf_trust_verdict *ret_verdict, struct hf_err *err)
{
    const struct signed_text text = {"release", update->signatures, update->n_signatures, hf_json_canonical,
                                     update->release.json};

    return check_text(fs, trust_dir, &text, ret_verdict, err);
}

/* ---- policies ---------------------------------------------------------------------------------------------------- */

/* No release has this text at its start, because a release starts with a brace. */
#define POLICY_DOMAIN "holdfast SyncPolicy signature 1\n"

int hf_trust_policy_message(const json_t *policy, struct hf_buf *out, struct hf_err *err)
{
    json_t *spec = json_copy(hf_json_mutable(hf_json_at(policy, "spec")));
    _cleanup_(hf_json_freep) json_t *text =
        json_pack("{s:s, s:s, s:{s:s}, s:o}", "apiVersion", hf_json_str_or(policy, "apiVersion", ""), "kind",
                  hf_json_str_or(policy, "kind", ""), "metadata", "name", hf_json_str_or(policy, "metadata.name", ""),
                  "spec", spec);

    if (text == NULL || hf_buf_add_str(out, POLICY_DOMAIN) < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for the policy");
    (void)json_object_del(spec, "signatures"); /* of the copy */
    return hf_json_canonical_fractions(text, out, err);
}

int hf_trust_check_policy(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_syncpolicy *policy,
                          enum hf_trust_verdict *ret_verdict, struct hf_err *err)
{
    const struct signed_text text = {"policy", policy->signatures, policy->n_signatures, hf_trust_policy_message,
                                     policy->json};

    return check_text(fs, trust_dir, &text, ret_verdict, err);
}

/* ---- entries of spec.manifests ----------------------------------------------------------------------------------- */

#define MANIFEST_DOMAIN "holdfast SyncPolicyManifest signature 1\n"

int hf_trust_manifest_message(const json_t *entry, struct hf_buf *out, struct hf_err *err)
{
    json_t *copy = json_copy(hf_json_mutable(entry));
    _cleanup_(hf_json_freep) json_t *text = json_pack("{s:s, s:s, s:o}", "apiVersion", HF_API_GROUP_VERSION, "kind",
                                                      "SyncPolicyManifest", "manifest", copy);

    if (text == NULL || hf_buf_add_str(out, MANIFEST_DOMAIN) < 0)
        return hf_err_set(err, ENOMEM, "not enough memory for the entry");
    (void)json_object_del(copy, "signatures"); /* of the copy */
    return hf_json_canonical_fractions(text, out, err);
}

int hf_trust_check_manifest(const struct hf_fs_ops *fs, const char *trust_dir, const struct hf_manifest *entry,
                            enum hf_trust_verdict *ret_verdict, struct hf_err *err)
{
    const struct signed_text text = {"entry", entry->signatures, entry->n_signatures, hf_trust_manifest_message,
                                     entry->json};

    return check_text(fs, trust_dir, &text, ret_verdict, err);
}

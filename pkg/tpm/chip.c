/* SPDX-License-Identifier: Apache-2.0 */
/* The calls to a TPM 2: seal a key, open it again, and a counter that can only rise.
 *
 * Each call derives the primary key from the owner seed anew, so nothing is stored in the TPM but the counter, and
 * frees what it has loaded, also after an error, because a TPM without a resource manager keeps it. Each call uses a
 * session that is salted with the primary key: whoever reads the wires of the TPM learns no key, and cannot forge
 * the value of a counter.
 *
 * A blob has its PCRs, so opening needs no configuration. The first value of a new counter is above that of every
 * counter the TPM has had; to learn it without making the counter, a second index is made, incremented and removed.
 * A step increments only if the counter has the value that the caller expects, so that it may be repeated.
 *
 * Only the TPM that sealed a key opens it, until it is cleared, and with PCRs only while they are unchanged. Its parent
 * is derived from the owner seed in each call; nothing stays in the TPM. No call can lock the TPM, because these keys
 * are exempt from its protection against dictionary attacks. Sessions encrypt the key on its way. */
#include "tpm/chip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tcti_device.h>
#include <tss2/tss2_tcti_swtpm.h>
#include <unistd.h>

struct hf_tpm_chip {
    TSS2_TCTI_CONTEXT *tcti;
    ESYS_CONTEXT *esys;
    ESYS_TR primary; /* ESYS_TR_NONE before make_primary() */
    ESYS_TR session;
    ESYS_TR object;
    ESYS_TR index; /* of the NV storage; ESYS_TR_NONE if no call uses one */
};

static int refused(struct hf_err *err, const char *what, TSS2_RC rc)
{
    return hf_err_set(err, EIO, "%s: %s (0x%x)", what, Tss2_RC_Decode(rc), (unsigned)rc);
}

/* Returns the error code of the TPM without the number of the parameter that it is about; 0 for an error of a library.
 */
static TSS2_RC code_of(TSS2_RC rc)
{
    if ((rc & TSS2_RC_LAYER_MASK) != TSS2_TPM_RC_LAYER)
        return 0;
    return (rc & TPM2_RC_FMT1) != 0 ? rc & (TPM2_RC_FMT1 | 0x3f) : rc;
}

/* ---- the way to the TPM ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    TSS2_RC (*init)(TSS2_TCTI_CONTEXT *context, size_t *size, const char *conf);
} ways[] = {{"device:", Tss2_Tcti_Device_Init}, {"swtpm:", Tss2_Tcti_Swtpm_Init}};

static int connect_to(struct hf_tpm_chip *chip, const char *tcti, struct hf_err *err)
{
    const char *conf = NULL;
    size_t i = 0, size = 0;

    for (; i < HF_LEN(ways); i++)
        if (strncmp(tcti, ways[i].name, strlen(ways[i].name)) == 0) {
            conf = tcti + strlen(ways[i].name);
            break;
        }
    if (conf == NULL || conf[0] == '\0')
        return hf_err_set(err, EINVAL, "'%.100s' is neither device:PATH nor swtpm:CONFIGURATION", tcti);
    if (i == 0 && access(conf, R_OK | W_OK) < 0) /* the library would say "IO failure" */
        return hf_err_set(err, ENODEV, "no TPM answers at '%.100s': %s", tcti, strerror(errno));
    TSS2_RC rc = ways[i].init(NULL, &size, conf);
    if (rc == TSS2_RC_SUCCESS && (chip->tcti = calloc(1, size)) == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (rc == TSS2_RC_SUCCESS)
        rc = ways[i].init(chip->tcti, &size, conf);
    if (rc == TSS2_RC_SUCCESS)
        return 0;
    free(hf_steal(chip->tcti));
    return hf_err_set(err, ENODEV, "no TPM answers at '%.100s': %s", tcti, Tss2_RC_Decode(rc));
}

int hf_tpm_chip_open(const char *tcti, struct hf_tpm_chip **ret_chip, struct hf_err *err)
{
    _cleanup_(hf_tpm_chip_closep) struct hf_tpm_chip *chip = calloc(1, sizeof(*chip));

    if (chip == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    chip->primary = chip->session = chip->object = chip->index = ESYS_TR_NONE;
    (void)setenv("TSS2_LOG", "all+none", 1); /* errors are in *err */
    int r = connect_to(chip, tcti, err);
    if (r < 0)
        return r;
    TSS2_RC rc = Esys_Initialize(&chip->esys, chip->tcti, NULL);
    if (rc != TSS2_RC_SUCCESS)
        return hf_err_set(err, ENODEV, "no TPM answers at '%.100s': %s", tcti, Tss2_RC_Decode(rc));
    *ret_chip = hf_steal(chip);
    return 0;
}

static void flush(struct hf_tpm_chip *chip, ESYS_TR *handle)
{
    if (*handle != ESYS_TR_NONE)
        (void)Esys_FlushContext(chip->esys, *handle);
    *handle = ESYS_TR_NONE;
}

/* Frees what one call has loaded: a TPM without a resource manager keeps it. */
static void flush_all(struct hf_tpm_chip *chip)
{
    flush(chip, &chip->object);
    flush(chip, &chip->session);
    flush(chip, &chip->primary);
    if (chip->index != ESYS_TR_NONE) /* the index itself stays in the TPM */
        (void)Esys_TR_Close(chip->esys, &chip->index);
    chip->index = ESYS_TR_NONE;
}

void hf_tpm_chip_close(struct hf_tpm_chip *chip)
{
    if (chip == NULL)
        return;
    if (chip->esys != NULL) {
        flush_all(chip);
        Esys_Finalize(&chip->esys);
    }
    if (chip->tcti != NULL)
        Tss2_Tcti_Finalize(chip->tcti);
    free(chip->tcti);
    free(chip);
}

/* ---- primary key and session ------------------------------------------------------------------------------------- */

/* The storage primary key of the TCG's profile for ECC P-256: every call derives the same key from the owner seed. */
static int make_primary(struct hf_tpm_chip *chip, struct hf_err *err)
{
    static const TPM2B_PUBLIC template = {.publicArea = {
                                              .type = TPM2_ALG_ECC,
                                              .nameAlg = TPM2_ALG_SHA256,
                                              .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                                                  TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                                                  TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
                                                                  TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
                                              .parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                                                                     .keyBits.aes = 128,
                                                                                     .mode.aes = TPM2_ALG_CFB},
                                                                       .scheme.scheme = TPM2_ALG_NULL,
                                                                       .curveID = TPM2_ECC_NIST_P256,
                                                                       .kdf.scheme = TPM2_ALG_NULL},
                                              .unique.ecc = {.x.size = 32, .y.size = 32},
                                          }};
    static const TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
    static const TPM2B_DATA outside = {.size = 0};
    static const TPML_PCR_SELECTION pcrs = {.count = 0};

    TSS2_RC rc = Esys_CreatePrimary(chip->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                    &sensitive, &template, &outside, &pcrs, &chip->primary, NULL, NULL, NULL, NULL);
    if (code_of(rc) == TPM2_RC_BAD_AUTH || code_of(rc) == TPM2_RC_AUTH_FAIL)
        return hf_err_set(err, EACCES, "the owner hierarchy of the TPM has a password, and holdfast has none for it");
    return rc == TSS2_RC_SUCCESS ? 0 : refused(err, "derive the storage key", rc);
}

/* A session that is salted with the primary key: whoever reads the wires of the TPM learns nothing from it. */
static int start_session(struct hf_tpm_chip *chip, TPM2_SE kind, TPMA_SESSION encrypts, struct hf_err *err)
{
    static const TPMT_SYM_DEF aes = {.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB};
    TSS2_RC rc = Esys_StartAuthSession(chip->esys, chip->primary, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                       ESYS_TR_NONE, NULL, kind, &aes, TPM2_ALG_SHA256, &chip->session);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_TRSess_SetAttributes(chip->esys, chip->session, encrypts | TPMA_SESSION_CONTINUESESSION, 0xff);
    return rc == TSS2_RC_SUCCESS ? 0 : refused(err, "start a session", rc);
}

/* ---- PCRs -------------------------------------------------------------------------------------------------------- */

/* Fails if the TPM has not all of these PCRs in its SHA-256 bank. It leaves the others out of a policy without a word.
 */
static int need_pcrs(struct hf_tpm_chip *chip, uint32_t pcrs, struct hf_err *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    uint32_t there = 0;
    TSS2_RC rc =
        Esys_GetCapability(chip->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1, NULL, &data);

    if (rc != TSS2_RC_SUCCESS)
        return refused(err, "ask for the PCRs", rc);
    const TPML_PCR_SELECTION *banks = &data->data.assignedPCR;
    for (UINT32 i = 0; i < banks->count && i < HF_LEN(banks->pcrSelections); i++) {
        const TPMS_PCR_SELECTION *bank = &banks->pcrSelections[i];
        for (unsigned k = 0; bank->hash == TPM2_ALG_SHA256 && k < bank->sizeofSelect && k < HF_TPM_PCRS / 8; k++)
            there |= (uint32_t)bank->pcrSelect[k] << 8 * k;
    }
    Esys_Free(data);
    uint32_t missing = pcrs & ~there;
    if (missing == 0)
        return 0;
    return hf_err_set(err, EINVAL,
                      "this TPM has no PCR %u in its SHA-256 bank, so this PCR binds the key to nothing: %s",
                      (unsigned)__builtin_ctz(missing),
                      there == 0 ? "switch the bank on in the firmware" : "leave it out of the PCRs");
}

static int bind_pcrs(struct hf_tpm_chip *chip, uint32_t pcrs, struct hf_err *err)
{
    static const TPM2B_DIGEST now = {.size = 0}; /* the values that the PCRs have now */
    TPML_PCR_SELECTION selection = {.count = 1,
                                    .pcrSelections[0] = {.hash = TPM2_ALG_SHA256, .sizeofSelect = HF_TPM_PCRS / 8}};

    for (unsigned i = 0; i < HF_TPM_PCRS / 8; i++)
        selection.pcrSelections[0].pcrSelect[i] = (BYTE)(pcrs >> 8 * i);
    int r = need_pcrs(chip, pcrs, err);
    if (r < 0)
        return r;
    TSS2_RC rc = Esys_PolicyPCR(chip->esys, chip->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &now, &selection);
    return rc == TSS2_RC_SUCCESS ? 0 : refused(err, "read the PCRs", rc);
}

/* Computes the policy that the PCRs have the values of now. */
static int make_policy(struct hf_tpm_chip *chip, uint32_t pcrs, TPM2B_DIGEST *ret_policy, struct hf_err *err)
{
    TPM2B_DIGEST *policy = NULL;

    if (pcrs == 0)
        return 0;
    if ((pcrs & HF_TPM_WEAK_PCRS) != 0)
        return hf_err_set(err, EINVAL, "any program can reset the PCRs 16 and 23, so they bind the key to nothing");
    int r = start_session(chip, TPM2_SE_TRIAL, 0, err);
    if (r == 0)
        r = bind_pcrs(chip, pcrs, err);
    if (r < 0)
        return r;
    TSS2_RC rc = Esys_PolicyGetDigest(chip->esys, chip->session, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &policy);
    if (rc != TSS2_RC_SUCCESS)
        return refused(err, "compute the policy", rc);
    *ret_policy = *policy;
    Esys_Free(policy);
    flush(chip, &chip->session);
    return 0;
}

/* ---- seal -------------------------------------------------------------------------------------------------------- */

/* version, PCRs (big endian), TPM2B_PUBLIC, TPM2B_PRIVATE */
static int format_blob(uint32_t pcrs, const TPM2B_PUBLIC *public, const TPM2B_PRIVATE *private, struct hf_buf *blob,
                       struct hf_err *err)
{
    uint8_t bytes[HF_TPM_BLOB_MAX] = {HF_TPM_BLOB_VERSION, (uint8_t)(pcrs >> 24), (uint8_t)(pcrs >> 16),
                                      (uint8_t)(pcrs >> 8), (uint8_t)pcrs};
    size_t n = HF_TPM_BLOB_HEAD;
    TSS2_RC rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, bytes, sizeof(bytes), &n);

    if (rc == TSS2_RC_SUCCESS)
        rc = Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof(bytes), &n);
    if (rc != TSS2_RC_SUCCESS)
        return refused(err, "format the sealed key", rc);
    int r = hf_buf_add(blob, bytes, n);
    return r < 0 ? hf_err_sys(err, r, "format the sealed key") : 0;
}

static int create(struct hf_tpm_chip *chip, const unsigned char *key, uint32_t pcrs, const TPM2B_DIGEST *policy,
                  struct hf_buf *blob, struct hf_err *err)
{
    static const TPM2B_DATA outside = {.size = 0};
    static const TPML_PCR_SELECTION no_pcrs = {.count = 0};
    TPM2B_SENSITIVE_CREATE sensitive = {.sensitive.data.size = HF_TPM_KEY_BYTES};
    TPM2B_PUBLIC template = {.publicArea = {.type = TPM2_ALG_KEYEDHASH,
                                            .nameAlg = TPM2_ALG_SHA256,
                                            .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                                                TPMA_OBJECT_NODA |
                                                                (pcrs == 0 ? TPMA_OBJECT_USERWITHAUTH : 0),
                                            .authPolicy = *policy,
                                            .parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL}};
    TPM2B_PRIVATE *private = NULL;
    TPM2B_PUBLIC *public = NULL;

    memcpy(sensitive.sensitive.data.buffer, key, HF_TPM_KEY_BYTES);
    TSS2_RC rc = Esys_Create(chip->esys, chip->primary, chip->session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                             &template, &outside, &no_pcrs, &private, &public, NULL, NULL, NULL);
    explicit_bzero(&sensitive, sizeof(sensitive));
    int r = rc == TSS2_RC_SUCCESS ? format_blob(pcrs, public, private, blob, err) : refused(err, "seal the key", rc);
    Esys_Free(private);
    Esys_Free(public);
    return r;
}

int hf_tpm_chip_seal(struct hf_tpm_chip *chip, const unsigned char key[HF_TPM_KEY_BYTES], uint32_t pcrs,
                     struct hf_buf *blob, struct hf_err *err)
{
    TPM2B_DIGEST policy = {.size = 0};
    int r = make_primary(chip, err);

    if (r == 0)
        r = make_policy(chip, pcrs, &policy, err);
    if (r == 0)
        r = start_session(chip, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, err);
    if (r == 0)
        r = create(chip, key, pcrs, &policy, blob, err);
    flush_all(chip);
    return r;
}

/* ---- open -------------------------------------------------------------------------------------------------------- */

static int parse_blob(struct hf_view blob, uint32_t *ret_pcrs, TPM2B_PUBLIC *ret_public, TPM2B_PRIVATE *ret_private,
                      struct hf_err *err)
{
    const uint8_t *bytes = (const uint8_t *)blob.p;
    size_t at = HF_TPM_BLOB_HEAD;

    if (blob.n > HF_TPM_BLOB_HEAD && blob.n <= HF_TPM_BLOB_MAX && bytes[0] == HF_TPM_BLOB_VERSION) {
        *ret_pcrs = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
        if (*ret_pcrs >> HF_TPM_PCRS == 0 &&
            Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes, blob.n, &at, ret_public) == TSS2_RC_SUCCESS &&
            Tss2_MU_TPM2B_PRIVATE_Unmarshal(bytes, blob.n, &at, ret_private) == TSS2_RC_SUCCESS && at == blob.n)
            return 0;
    }
    return hf_err_set(err, EBADMSG, "the sealed key is damaged");
}

static int load(struct hf_tpm_chip *chip, struct hf_view blob, uint32_t *ret_pcrs, struct hf_err *err)
{
    TPM2B_PUBLIC public = {.size = 0};
    TPM2B_PRIVATE private = {.size = 0};
    int r = parse_blob(blob, ret_pcrs, &public, &private, err);

    if (r == 0)
        r = make_primary(chip, err);
    if (r < 0)
        return r;
    TSS2_RC rc = Esys_Load(chip->esys, chip->primary, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &private, &public,
                           &chip->object);
    if (rc == TSS2_RC_SUCCESS)
        return 0;
    if ((code_of(rc) & TPM2_RC_FMT1) != 0)
        return hf_err_set(err, EBADMSG, "another TPM sealed it, or this TPM was cleared since, or it is damaged (0x%x)",
                          (unsigned)rc);
    return refused(err, "load the sealed key", rc);
}

static int unseal(struct hf_tpm_chip *chip, unsigned char *ret_key, struct hf_err *err)
{
    TPM2B_SENSITIVE_DATA *data = NULL;
    TSS2_RC rc = Esys_Unseal(chip->esys, chip->object, chip->session, ESYS_TR_NONE, ESYS_TR_NONE, &data);
    int r = 0;

    if (code_of(rc) == TPM2_RC_POLICY_FAIL || rc == TPM2_RC_PCR_CHANGED)
        return hf_err_set(err, ESTALE, "the PCRs have other values than when it was sealed");
    if (rc != TSS2_RC_SUCCESS)
        return refused(err, "open the sealed key", rc);
    if (data->size == HF_TPM_KEY_BYTES)
        memcpy(ret_key, data->buffer, HF_TPM_KEY_BYTES);
    else
        r = hf_err_set(err, EBADMSG, "the sealed key has another size");
    explicit_bzero(data, sizeof(*data));
    Esys_Free(data);
    return r;
}

int hf_tpm_chip_open_key(struct hf_tpm_chip *chip, struct hf_view blob, unsigned char ret_key[HF_TPM_KEY_BYTES],
                         struct hf_err *err)
{
    uint32_t pcrs = 0;
    int r = load(chip, blob, &pcrs, err);

    if (r == 0)
        r = start_session(chip, pcrs != 0 ? TPM2_SE_POLICY : TPM2_SE_HMAC, TPMA_SESSION_ENCRYPT, err);
    if (r == 0 && pcrs != 0)
        r = bind_pcrs(chip, pcrs, err);
    if (r == 0)
        r = unseal(chip, ret_key, err);
    flush_all(chip);
    return r;
}

/* ---- a key that signs -------------------------------------------------------------------------------------------- */

/* A number of 32 bytes, of which the TPM may leave out zeros in front. */
static bool put_number(const TPM2B_ECC_PARAMETER *number, unsigned char *ret)
{
    enum { SIZE = HF_TPM_POINT_BYTES / 2 };

    if (number->size > SIZE)
        return false;
    memset(ret, 0, SIZE);
    memcpy(ret + SIZE - number->size, number->buffer, number->size);
    return true;
}

static int create_key(struct hf_tpm_chip *chip, struct hf_buf *blob, unsigned char *point, struct hf_err *err)
{
    static const TPM2B_DATA outside = {.size = 0};
    static const TPML_PCR_SELECTION no_pcrs = {.count = 0};
    static const TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
    static const TPM2B_PUBLIC template = {
        .publicArea = {
            .type = TPM2_ALG_ECC,
            .nameAlg = TPM2_ALG_SHA256,
            .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_NODA |
                                TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT,
            .parameters.eccDetail = {.symmetric.algorithm = TPM2_ALG_NULL,
                                     .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                                     .curveID = TPM2_ECC_NIST_P256,
                                     .kdf.scheme = TPM2_ALG_NULL}}};
    TPM2B_PRIVATE *private = NULL;
    TPM2B_PUBLIC *public = NULL;
    TSS2_RC rc = Esys_Create(chip->esys, chip->primary, chip->session, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
                             &template, &outside, &no_pcrs, &private, &public, NULL, NULL, NULL);
    int r = rc == TSS2_RC_SUCCESS ? format_blob(0, public, private, blob, err) : refused(err, "make a key", rc);

    if (r == 0 && (!put_number(&public->publicArea.unique.ecc.x, point) ||
                   !put_number(&public->publicArea.unique.ecc.y, point + HF_TPM_POINT_BYTES / 2)))
        r = hf_err_set(err, EIO, "the TPM made a key of another size");
    Esys_Free(private);
    Esys_Free(public);
    return r;
}

int hf_tpm_chip_key_make(struct hf_tpm_chip *chip, struct hf_buf *blob, unsigned char point[HF_TPM_POINT_BYTES],
                         struct hf_err *err)
{
    int r = make_primary(chip, err);

    if (r == 0)
        r = start_session(chip, TPM2_SE_HMAC, TPMA_SESSION_DECRYPT, err);
    if (r == 0)
        r = create_key(chip, blob, point, err);
    flush_all(chip);
    return r;
}

static int sign(struct hf_tpm_chip *chip, const unsigned char *bytes, unsigned char *ret, struct hf_err *err)
{
    static const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256};
    static const TPMT_TK_HASHCHECK from_outside = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
    TPM2B_DIGEST digest = {.size = HF_TPM_DIGEST_BYTES};
    TPMT_SIGNATURE *signature = NULL;

    memcpy(digest.buffer, bytes, HF_TPM_DIGEST_BYTES);
    TSS2_RC rc = Esys_Sign(chip->esys, chip->object, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &digest, &scheme,
                           &from_outside, &signature);
    if (rc != TSS2_RC_SUCCESS)
        return refused(err, "sign", rc);
    bool good = put_number(&signature->signature.ecdsa.signatureR, ret) &&
                put_number(&signature->signature.ecdsa.signatureS, ret + HF_TPM_POINT_BYTES / 2);
    Esys_Free(signature);
    return good ? 0 : hf_err_set(err, EIO, "the TPM made a signature of another size");
}

int hf_tpm_chip_key_sign(struct hf_tpm_chip *chip, struct hf_view blob, const unsigned char digest[HF_TPM_DIGEST_BYTES],
                         unsigned char signature[HF_TPM_POINT_BYTES], struct hf_err *err)
{
    uint32_t pcrs = 0;
    int r = load(chip, blob, &pcrs, err);

    if (r == 0)
        r = sign(chip, digest, signature, err);
    flush_all(chip);
    return r;
}

/* ---- the counter ------------------------------------------------------------------------------------------------- */

static const TPMA_NV counter_kind = (TPMA_NV)TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT;

static int counter_refused(struct hf_err *err, const char *what, TSS2_RC rc)
{
    switch (code_of(rc)) {
    case TPM2_RC_BAD_AUTH:
    case TPM2_RC_AUTH_FAIL:
        return hf_err_set(err, EACCES,
                          "%s: the owner hierarchy of the TPM has a password, and holdfast has none for it", what);
    case TPM2_RC_LOCKOUT:
    case TPM2_RC_NV_LOCKED:
    case TPM2_RC_NV_AUTHORIZATION:
        return hf_err_set(err, EACCES, "%s: the TPM is locked: %s", what, Tss2_RC_Decode(rc));
    case TPM2_RC_NV_SPACE:
        return hf_err_set(err, ENOSPC, "%s: the TPM has no room for a further NV index", what);
    default:
        return refused(err, what, rc);
    }
}

/* Finds an index. -ENOENT: there is none. Sets *ret_written to true if somebody has incremented it. */
static int find_index(struct hf_tpm_chip *chip, TPM2_HANDLE number, bool *ret_written, struct hf_err *err)
{
    TPM2B_NV_PUBLIC *public = NULL;
    TSS2_RC rc = Esys_TR_FromTPMPublic(chip->esys, number, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &chip->index);

    if (rc != TSS2_RC_SUCCESS)
        chip->index = ESYS_TR_NONE;
    if (code_of(rc) == TPM2_RC_HANDLE)
        return hf_err_set(err, ENOENT, "the TPM has no NV index 0x%x", (unsigned)number);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_NV_ReadPublic(chip->esys, chip->index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public, NULL);
    if (rc != TSS2_RC_SUCCESS)
        return counter_refused(err, "look for the counter", rc);
    TPMA_NV attributes = public->nvPublic.attributes;
    Esys_Free(public);
    *ret_written = (attributes & TPMA_NV_WRITTEN) != 0;
    if ((attributes & TPMA_NV_TPM2_NT_MASK) == counter_kind)
        return 0;
    return hf_err_set(err, EEXIST, "another program has made the NV index 0x%x, and it is no counter: remove it",
                      (unsigned)number);
}

static int define_index(struct hf_tpm_chip *chip, TPM2_HANDLE number, struct hf_err *err)
{
    static const TPM2B_AUTH no_password = {.size = 0};
    const TPM2B_NV_PUBLIC public = {.nvPublic = {.nvIndex = number,
                                                 .nameAlg = TPM2_ALG_SHA256,
                                                 .attributes = counter_kind | TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE |
                                                               TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
                                                 .dataSize = sizeof(uint64_t)}};
    TSS2_RC rc = Esys_NV_DefineSpace(chip->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                     &no_password, &public, &chip->index);

    if (rc == TSS2_RC_SUCCESS)
        return 0;
    chip->index = ESYS_TR_NONE;
    return counter_refused(err, "make the counter", rc);
}

static int undefine_index(struct hf_tpm_chip *chip, struct hf_err *err)
{
    TSS2_RC rc =
        Esys_NV_UndefineSpace(chip->esys, ESYS_TR_RH_OWNER, chip->index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE);

    chip->index = ESYS_TR_NONE;
    return rc == TSS2_RC_SUCCESS ? 0 : counter_refused(err, "remove the counter that showed the first value", rc);
}

static int read_index(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err)
{
    TPM2B_MAX_NV_BUFFER *data = NULL;
    TSS2_RC rc = Esys_NV_Read(chip->esys, chip->index, chip->index, chip->session, ESYS_TR_NONE, ESYS_TR_NONE,
                              sizeof(uint64_t), 0, &data);
    uint64_t value = 0;

    if (rc != TSS2_RC_SUCCESS)
        return counter_refused(err, "read the counter", rc);
    for (size_t i = 0; i < sizeof(uint64_t) && i < data->size; i++)
        value = value << 8 | data->buffer[i];
    Esys_Free(data);
    *ret_value = value;
    return 0;
}

static int increment_index(struct hf_tpm_chip *chip, struct hf_err *err)
{
    TSS2_RC rc = Esys_NV_Increment(chip->esys, chip->index, chip->index, chip->session, ESYS_TR_NONE, ESYS_TR_NONE);

    return rc == TSS2_RC_SUCCESS ? 0 : counter_refused(err, "increment the counter", rc);
}

/* The answers are authenticated with a secret that goes to the TPM under its primary key. */
static int start_counting(struct hf_tpm_chip *chip, struct hf_err *err)
{
    int r = make_primary(chip, err);

    return r == 0 ? start_session(chip, TPM2_SE_HMAC, 0, err) : r;
}

int hf_tpm_chip_counter_read(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err)
{
    bool written = false;
    int r = start_counting(chip, err);

    if (r == 0)
        r = find_index(chip, HF_TPM_COUNTER_INDEX, &written, err);
    if (r == 0 && !written)
        r = hf_err_set(err, ENOENT, "nobody has incremented the counter yet");
    if (r == 0)
        r = read_index(chip, ret_value, err);
    flush_all(chip);
    return r;
}

/* Makes an index if there is none, and increments it, unless it has another value than `before`. */
static int step_index(struct hf_tpm_chip *chip, TPM2_HANDLE number, const uint64_t *before, uint64_t *ret_value,
                      struct hf_err *err)
{
    bool written = false;
    int r = find_index(chip, number, &written, err);

    if (r == -ENOENT)
        r = define_index(chip, number, err);
    if (r == 0 && written && before != NULL) {
        r = read_index(chip, ret_value, err);
        if (r < 0 || *ret_value != *before)
            return r;
    }
    if (r == 0)
        r = increment_index(chip, err);
    return r == 0 ? read_index(chip, ret_value, err) : r;
}

/* Learns the first value of a counter that does not exist yet. */
static int probe_next(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err)
{
    uint64_t value = 0;
    int r = step_index(chip, HF_TPM_PROBE_INDEX, NULL, &value, err);

    if (r == 0)
        r = undefine_index(chip, err);
    *ret_value = value + 1;
    return r;
}

int hf_tpm_chip_counter_next(struct hf_tpm_chip *chip, uint64_t *ret_value, struct hf_err *err)
{
    bool written = false;
    uint64_t value = 0;
    int r = start_counting(chip, err);

    if (r == 0)
        r = find_index(chip, HF_TPM_COUNTER_INDEX, &written, err);
    if (r == 0 && written) {
        r = read_index(chip, &value, err);
        *ret_value = value + 1;
    } else if (r == 0 || r == -ENOENT) {
        r = probe_next(chip, ret_value, err);
    }
    flush_all(chip);
    return r;
}

int hf_tpm_chip_counter_step(struct hf_tpm_chip *chip, uint64_t to, uint64_t *ret_value, struct hf_err *err)
{
    const uint64_t before = to - 1;
    int r = start_counting(chip, err);

    if (r == 0)
        r = step_index(chip, HF_TPM_COUNTER_INDEX, &before, ret_value, err);
    flush_all(chip);
    return r;
}

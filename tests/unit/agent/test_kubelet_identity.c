/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet's certificate and key, where distributions have them; files that nobody should trust. */
#include "agent/identity/kubelet_identity.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "support/check_main.h"
#include "support/fakes/simfs.h"

#define K3S "/var/lib/rancher/k3s/agent/client-kubelet"
#define KUBEADM "/var/lib/kubelet/pki/kubelet-client-current.pem"

static struct hf_simfs *fs;
static char certificate[4096], key[4096], old_key[4096];

static void take(BIO *bio, char text[4096])
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);

    ck_assert(n > 0 && n < 4096);
    memcpy(text, bytes, (size_t)n);
    text[n] = '\0';
    (void)BIO_free(bio);
}

/* A certificate of `user` in `group`, its key as PKCS #8, and as K3s and kubeadm write it ("EC PRIVATE KEY"). */
static void make(const char *user, const char *group)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_mem()), *o = BIO_new(BIO_s_mem());

    (void)X509_set_version(x509, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    (void)X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING, (const unsigned char *)group, -1, -1, 0);
    (void)X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const unsigned char *)user, -1, -1, 0);
    (void)X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    (void)X509_set_pubkey(x509, pair);
    ck_assert(X509_sign(x509, pair, EVP_sha256()) > 0);
    ck_assert_int_eq(PEM_write_bio_X509(c, x509), 1);
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(k, pair, NULL, NULL, 0, NULL, NULL), 1);
    ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(o, pair, NULL, NULL, 0, NULL, NULL), 1);
    take(c, certificate);
    take(k, key);
    take(o, old_key);
    X509_free(x509);
    EVP_PKEY_free(pair);
}

static void put(const char *path, const char *text)
{
    hf_simfs_put(fs, path, text, strlen(text), 0600);
}

static void put_both(const char *path, const char *one, const char *other)
{
    char text[8192];

    (void)snprintf(text, sizeof(text), "%s%s", one, other);
    put(path, text);
}

static void expect(const char *where, int want)
{
    _cleanup_(hf_buf_done) struct hf_buf c = HF_BUF_INIT(65536), k = HF_BUF_INIT(65536);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_kubelet_identity_read(hf_simfs_ops(fs), where, "n1", &c, &k, &err);

    ck_assert_msg(r == want, "%s: %d, not %d: %s", where, r, want, err.cause);
    ck_assert(r < 0 || (strstr(hf_buf_str(&c), "BEGIN CERTIFICATE") != NULL && strstr(hf_buf_str(&k), "KEY") != NULL));
    if (r < 0)
        ck_assert(strstr(err.cause, "PRIVATE") == NULL);
}

static void set_up(void)
{
    fs = hf_simfs_new();
    hf_simfs_mkdir(fs, "/var/lib/rancher/k3s/agent", 0700);
    hf_simfs_mkdir(fs, "/var/lib/kubelet/pki", 0755);
    make("system:node:n1", "system:nodes");
}

static void tear_down(void)
{
    hf_simfs_free(fs);
}

START_TEST(places)
{
    expect("auto", -ENOENT);
    put_both(KUBEADM, certificate, key);
    expect("auto", 0);
    expect(KUBEADM, 0);
    put(K3S ".crt", certificate);
    expect("auto", 0); /* half of a pair: the next place */
    expect(K3S ".crt", -ENOENT);
    put(K3S ".key", old_key);
    expect("auto", 0);
    expect(K3S ".crt", 0);
    expect("/var/lib/other.pem", -ENOENT);
    put_both("/var/lib/kubelet/pki/any", certificate, old_key);
    expect("/var/lib/kubelet/pki/any", 0);
}
END_TEST

START_TEST(of_another_node)
{
    static const char *const users[][2] = {{"system:node:n2", "system:nodes"},
                                           {"system:node:n1", "system:masters"},
                                           {"system:node:", "system:nodes"},
                                           {"holdfast:agent:n1", "holdfast:agents"}};

    make(users[_i][0], users[_i][1]);
    put_both(KUBEADM, certificate, key);
    expect("auto", -EBADMSG);
}
END_TEST

START_TEST(damaged)
{
    char other[4096];
    const char *texts[] = {"", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key,
                           "PRIVATE KEY-----", "-----BEGIN \xff PRIVATE KEY-----"};

    put(KUBEADM, _i < 5 ? texts[_i] : certificate);
    if (_i == 6) { /* another pair's key */
        (void)snprintf(other, sizeof(other), "%s", certificate);
        make("system:node:n1", "system:nodes");
        put_both(KUBEADM, other, key);
    }
    expect("auto", -EBADMSG);
}
END_TEST

/* Who can write a file, or its folder, could give the agent a key of his own. */
START_TEST(files_that_others_write)
{
    put(K3S ".crt", certificate);
    put(K3S ".key", key);
    expect("auto", 0);
    if (_i < 2)
        hf_simfs_chown(fs, _i == 0 ? K3S ".crt" : K3S ".key", 1234, 0);
    else
        hf_simfs_put(fs, _i == 2 ? K3S ".crt" : K3S ".key", _i == 2 ? certificate : key,
                     strlen(_i == 2 ? certificate : key), 0666);
    expect("auto", -EPERM);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, places);
    tcase_add_loop_test(tc, of_another_node, 0, 4);
    tcase_add_loop_test(tc, damaged, 0, 7);
    tcase_add_loop_test(tc, files_that_others_write, 0, 4);
}

HF_TEST_MAIN("agent/kubelet_identity", cases)

// SPDX-License-Identifier: Apache-2.0

// Push everything of an OCI layout to a repository of a registry: push [-plain-http] LAYOUT.tar HOST/REPOSITORY
//
// Manifests with a name in the layout get it as their tag; those with a subject become its referrers. Credentials are those
// of docker login.
package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// indexOf reads index.json, which names all manifests of the layout.
func indexOf(path string) (ocispec.Index, error) {
	var index ocispec.Index
	file, err := os.Open(path)
	if err != nil {
		return index, err
	}
	defer file.Close()
	for archive := tar.NewReader(file); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return index, fmt.Errorf("%s has no index.json", path)
		}
		if err != nil {
			return index, fmt.Errorf("%s: %w", path, err)
		}
		if header.Name == ocispec.ImageIndexFile {
			return index, json.NewDecoder(archive).Decode(&index)
		}
	}
}

func push(ctx context.Context, path, name string, plain bool) error {
	index, err := indexOf(path)
	if err != nil {
		return err
	}
	layout, err := oci.NewFromTar(ctx, path)
	if err != nil {
		return err
	}
	repository, err := remote.NewRepository(name)
	if err != nil {
		return err
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return err
	}
	repository.PlainHTTP = plain
	repository.Client = &auth.Client{Client: retry.DefaultClient, Cache: auth.NewCache(), Credential: credentials.Credential(store)}
	for _, manifest := range index.Manifests {
		if err := oras.CopyGraph(ctx, layout, repository, manifest, oras.DefaultCopyGraphOptions); err != nil {
			return fmt.Errorf("push %s: %w", manifest.Digest, err)
		}
		tag := manifest.Annotations[ocispec.AnnotationRefName]
		if tag == "" {
			continue
		}
		if err := repository.Tag(ctx, manifest, tag); err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
		fmt.Printf("pushed %s:%s@%s\n", name, tag, manifest.Digest)
	}
	return nil
}

func main() {
	plain := flag.Bool("plain-http", false, "the registry has no TLS")
	flag.Parse()
	if flag.NArg() != 2 {
		fmt.Fprintln(os.Stderr, "usage: push [-plain-http] LAYOUT.tar HOST/REPOSITORY")
		os.Exit(2)
	}
	if err := push(context.Background(), flag.Arg(0), flag.Arg(1), *plain); err != nil {
		fmt.Fprintln(os.Stderr, "push:", err)
		os.Exit(1)
	}
}

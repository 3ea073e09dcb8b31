// Checks a ledger's directory with golang.org/x/mod/sumdb: the checkpoint's signature and a cosignature with note, the
// tiles, every entry, inclusion and consistency proofs with tlog. Shares nothing with Sluice.
//
// usage: go run . LEDGER LOG_KEY COSIGNER_KEY PROOFS.json
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofs struct {
	Receipts []struct {
		Index int64    `json:"index"`
		Entry string   `json:"entry"`
		Proof []string `json:"proof"`
	} `json:"receipts"`
	Consistency []struct {
		Size  int64    `json:"size"`
		Root  string   `json:"root"`
		Proof []string `json:"proof"`
	} `json:"consistency"`
}

func main() {
	if err := check(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(dir, logKey, cosignerKey, proofsFile string) error {
	tree, err := openCheckpoint(dir, logKey, cosignerKey)
	if err != nil {
		return err
	}
	if err := checkEntries(dir, tree); err != nil {
		return err
	}
	data, err := os.ReadFile(proofsFile)
	if err != nil {
		return err
	}
	var given proofs
	if err := json.Unmarshal(data, &given); err != nil {
		return err
	}
	for _, r := range given.Receipts {
		entry, err := base64.StdEncoding.DecodeString(r.Entry)
		if err != nil {
			return err
		}
		path, err := hashes(r.Proof)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(path, tree.N, tree.Hash, r.Index, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("receipt of entry %d: %w", r.Index, err)
		}
	}
	fmt.Printf("%d inclusion proofs\n", len(given.Receipts))
	for _, c := range given.Consistency {
		path, err := hashes(c.Proof)
		if err != nil {
			return err
		}
		root, err := tlog.ParseHash(c.Root)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(path, tree.N, tree.Hash, c.Size, root); err != nil {
			return fmt.Errorf("consistency with %d: %w", c.Size, err)
		}
	}
	fmt.Printf("%d consistency proofs\n", len(given.Consistency))
	return nil
}

func openCheckpoint(dir, logKey, cosignerKey string) (tlog.Tree, error) {
	var tree tlog.Tree
	logVerifier, err := note.NewVerifier(logKey)
	if err != nil {
		return tree, err
	}
	witness, err := newCosigner(cosignerKey)
	if err != nil {
		return tree, err
	}
	newest, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return tree, err
	}
	size := strings.Split(string(newest), "\n")[1]
	cosigned, err := os.ReadFile(filepath.Join(dir, "witnessed", size))
	if err != nil {
		return tree, err
	}
	for _, file := range []struct {
		data      []byte
		verifiers []note.Verifier
	}{
		{newest, []note.Verifier{logVerifier}},
		{cosigned, []note.Verifier{logVerifier, witness}},
	} {
		opened, err := note.Open(file.data, note.VerifierList(file.verifiers...))
		if err != nil {
			return tree, err
		}
		if len(opened.Sigs) != len(file.verifiers) {
			return tree, fmt.Errorf("%d of %d signatures verified", len(opened.Sigs), len(file.verifiers))
		}
		lines := strings.Split(opened.Text, "\n")
		if len(lines) != 4 || lines[0] != logVerifier.Name() || lines[3] != "" {
			return tree, errors.New("not a checkpoint of this log")
		}
		if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
			return tree, err
		}
		if tree.Hash, err = tlog.ParseHash(lines[2]); err != nil {
			return tree, err
		}
	}
	fmt.Printf("checkpoint of %d entries, cosigned\n", tree.N)
	return tree, nil
}

// checkEntries reads every leaf through tiles that tlog authenticates against the root.
func checkEntries(dir string, tree tlog.Tree) error {
	reader := tlog.TileHashReader(tree, tiles{dir})
	for first := int64(0); first < tree.N; first += 256 {
		width := int(min(256, tree.N-first))
		data, err := readTile(dir, "entries", first/256, width)
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, leaf := range leaves {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("the bundle of entry %d is cut", first+int64(i))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if tlog.RecordHash(data[2:end]) != leaf {
				return fmt.Errorf("entry %d is not in the tree", first+int64(i))
			}
			data = data[end:]
		}
		if len(data) != 0 {
			return fmt.Errorf("the bundle of entry %d is too long", first)
		}
	}
	fmt.Printf("%d entries in their tiles\n", tree.N)
	return nil
}

type tiles struct{ dir string }

func (tiles) Height() int                     { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := readTile(t.dir, strconv.Itoa(tile.L), tile.N, tile.W)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// readTile knows the paths of C2SP tlog-tiles, which differ from those of the Go checksum database.
func readTile(dir, level string, n int64, width int) ([]byte, error) {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	path = filepath.Join(dir, "tile", level, path)
	if width < 256 {
		path = filepath.Join(path+".p", strconv.Itoa(width))
	}
	return os.ReadFile(path)
}

func hashes(encoded []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, text := range encoded {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}

// cosigner verifies C2SP tlog-cosignature, v1, which sumdb/note has no verifier for.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("malformed cosigner key")
	}
	hash, err := hex.DecodeString(parts[1])
	if err != nil || len(hash) != 4 {
		return nil, errors.New("malformed cosigner key")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("malformed cosigner key")
	}
	return &cosigner{parts[0], binary.BigEndian.Uint32(hash), key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

//! Against an independent implementation, the published vectors, and forgeries.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;

use super::*;

fn entries(n: usize) -> Vec<Vec<u8>> {
    (0..n).map(|i| format!("entry {i}").into_bytes()).collect()
}

fn leaves(n: usize) -> Vec<Hash> {
    entries(n).iter().map(|e| leaf_hash(e)).collect()
}

fn other_tree(n: usize) -> MemoryBackedTree<sha2::Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries(n).into_iter().for_each(|e| tree.push(e));
    tree
}

/// The entries and roots that the Certificate Transparency implementations test with.
#[test]
fn the_published_roots_come_out() {
    let entries: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::new();
    assert_eq!(hex(&frontier.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (entry, root) in entries.iter().zip(roots) {
        frontier.push(leaf_hash(entry));
        assert_eq!(hex(&frontier.root()), root, "{} leaves", frontier.size());
    }
}

#[test]
fn small_trees_agree_with_another_implementation_in_every_proof() {
    for n in 0..=33 {
        let (leaves, other) = (leaves(n), other_tree(n));
        assert_eq!(root(&leaves)[..], other.root().as_bytes()[..], "{n}");
        assert_eq!(leaves.iter().copied().collect::<Frontier>().root(), root(&leaves), "{n}");
        for i in 0..n {
            assert_eq!(
                inclusion_proof(&leaves, i).unwrap().concat(),
                other.prove_inclusion(i).as_bytes(),
                "{i} of {n}"
            );
        }
        for old in 1..n {
            let proof = consistency_proof(&leaves, old).unwrap().concat();
            assert_eq!(proof, other.prove_consistency(n - old).as_bytes(), "{old} of {n}");
        }
    }
}

#[test]
fn every_proof_of_small_trees_holds_and_shows_nothing_else() {
    for n in 0..=24 {
        let all = leaves(n);
        let whole = root(&all);
        assert_eq!(inclusion_proof(&all, n), None);
        assert_eq!(consistency_proof(&all, n + 1), None);
        for i in 0..n {
            let proof = inclusion_proof(&all, i).unwrap();
            for (j, leaf) in all.iter().enumerate() {
                let shown = verify_inclusion(*leaf, i as u64, n as u64, &proof, whole).is_ok();
                assert_eq!(shown, i == j, "leaf {j} at {i} of {n}");
            }
        }
        for old in 0..=n {
            let proof = consistency_proof(&all, old).unwrap();
            for wrong in 0..=n {
                let shown =
                    verify_consistency(old as u64, n as u64, &proof, root(&all[..wrong]), whole).is_ok();
                assert_eq!(shown, old == wrong, "{old} as {wrong} of {n}");
            }
        }
    }
}

#[test]
fn nothing_is_shown_of_what_is_not_there() {
    let all = leaves(7);
    let whole = root(&all);
    assert!(verify_inclusion(all[0], 0, 0, &[], empty_root()).is_err());
    assert!(verify_inclusion(all[0], 7, 7, &inclusion_proof(&all, 0).unwrap(), whole).is_err());
    assert!(verify_consistency(8, 7, &[], whole, whole).is_err());
    assert!(verify_consistency(7, 7, &[], root(&all[..6]), whole).is_err());
    assert!(verify_consistency(4, 7, &[], root(&all[..4]), whole).is_err());
    assert!(verify_consistency(u64::MAX, u64::MAX, &[all[0]], whole, whole).is_err());
}

proptest! {
    #[test]
    fn any_tree_agrees_with_another_implementation(n in 1..300usize, a: prop::sample::Index, b: prop::sample::Index) {
        let (leaves, other) = (leaves(n), other_tree(n));
        let (index, old) = (a.index(n), b.index(n) + 1);
        let (other_root, proof) = (other.root(), other.prove_inclusion(index));
        prop_assert_eq!(&root(&leaves)[..], &other_root.as_bytes()[..]);
        prop_assert_eq!(leaves.iter().copied().collect::<Frontier>().root(), root(&leaves));
        prop_assert_eq!(inclusion_proof(&leaves, index).unwrap().concat(), proof.as_bytes());
        if old < n {
            let proof = other.prove_consistency(n - old);
            prop_assert_eq!(consistency_proof(&leaves, old).unwrap().concat(), proof.as_bytes());
        }
    }

    #[test]
    fn a_changed_proof_does_not_hold(n in 2..200usize, a: prop::sample::Index, b: prop::sample::Index, bit in 0..256usize) {
        let leaves = leaves(n);
        let whole = root(&leaves);
        let index = a.index(n);
        let mut proof = inclusion_proof(&leaves, index).unwrap();
        prop_assert!(verify_inclusion(leaves[index], index as u64, n as u64, &proof, whole).is_ok());

        let mut longer = proof.clone();
        longer.push(whole);
        prop_assert!(verify_inclusion(leaves[index], index as u64, n as u64, &longer, whole).is_err());
        let shorter = &proof[..proof.len() - 1];
        prop_assert!(verify_inclusion(leaves[index], index as u64, n as u64, shorter, whole).is_err());
        let place = b.index(proof.len());
        proof[place][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(leaves[index], index as u64, n as u64, &proof, whole).is_err());
    }

    #[test]
    fn a_changed_history_is_not_consistent(n in 2..200usize, a: prop::sample::Index, b: prop::sample::Index) {
        let honest = leaves(n);
        let old = a.index(n - 1) + 1;
        let old_root = root(&honest[..old]);
        let proof = consistency_proof(&honest, old).unwrap();
        prop_assert!(verify_consistency(old as u64, n as u64, &proof, old_root, root(&honest)).is_ok());

        let mut forged = honest.clone();
        forged[b.index(old)] = leaf_hash(b"forged");
        let proof = consistency_proof(&forged, old).unwrap();
        prop_assert!(verify_consistency(old as u64, n as u64, &proof, old_root, root(&forged)).is_err());
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

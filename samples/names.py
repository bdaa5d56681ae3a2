"""Words that the synthetic people and addresses are drawn from; nobody real is meant.

Everything here can be written in ISO-8859-15, as SIECLE does, hence the straight apostrophes; other
letters stand in `nasty_people`.
"""

FAMILY_NAMES = (
    *("MARTIN", "BERNARD", "THOMAS", "PETIT", "ROBERT", "RICHARD", "DURAND", "DUBOIS", "MOREAU"),
    *("LAURENT", "SIMON", "MICHEL", "LEFÈVRE", "LEROY", "ROUX", "DAVID", "BERTRAND", "MOREL"),
    *("FOURNIER", "GIRARD", "BONNET", "FONTAINE", "GARNIER", "FAURE", "ROUSSEAU", "BLANC"),
    *("GUÉRIN", "BOYER", "CHEVALIER", "FRANÇOIS", "LEGRAND", "GAUTHIER", "GARCIA", "PERRIN"),
    *("MARTINEZ", "LOPEZ", "SANCHEZ", "FERNANDEZ", "NUÑEZ", "IBÁÑEZ", "DA SILVA", "FERREIRA"),
    *("CONCEIÇÃO", "DOS SANTOS", "ROSSI", "ESPOSITO", "RICCI", "DE LUCA", "D'ANGELO", "BIANCHI"),
    *("BENALI", "BOUZID", "HADDAD", "CHERIF", "BELKACEM", "EL AMRANI", "AÏT SAÏD", "BEN YOUSSEF"),
    *("TRABELSI", "MANSOURI", "KHELIFI", "BOUAZZA", "OULD AHMED", "ZEROUAL", "SAÏDI", "TAHIRI"),
    *("DIALLO", "TRAORÉ", "KONÉ", "N'DIAYE", "SOW", "CAMARA", "MBEKI", "OUÉDRAOGO", "DIOP"),
    *("MOHAMED ALI", "SOILIHI", "ABDALLAH", "ATTOUMANI", "RAKOTO", "ANDRIANA", "HOARAU", "PAYET"),
    *("NGUYEN", "TRAN", "PHAM", "LÊ", "CHEN", "WANG", "LY", "KIM", "SINGH", "SHARMA", "HUSSAIN"),
    *("KOWALSKI", "NOWAK", "MÜLLER", "SCHMITT", "WÖRTH", "JOHANSSON", "O'BRIEN", "SMITH"),
    *("PETROSYAN", "HAKOBYAN", "YILMAZ", "KAYA", "DEMIR", "ÖZTÜRK", "POPESCU", "IONESCU"),
    *("LECŒUR", "DECŒUR", "LE GOFF", "DE LA TOUR", "SAINT-ÉTIENNE", "L'HÉRITIER", "LOUŸS"),
    *("PIERRE-LOUIS", "JEAN-BAPTISTE", "MARIE-SAINTE", "VAN DEN BERG", "DE SOUZA", "ÇELIK"),
)

GIRLS = (
    *("Emma", "Jade", "Louise", "Alice", "Chloé", "Lina", "Léa", "Manon", "Inès", "Camille"),
    *("Zoé", "Anaïs", "Maëlys", "Héloïse", "Clémence", "Noémie", "Françoise-Marie", "Lucie"),
    *("Fatoumata", "Aïcha", "Yasmine", "Nour", "Sofia", "Lila", "Meriem", "Khadija", "Assia"),
    *("Beatriz", "Inês", "Chiara", "Giulia", "Carmen", "Lucía", "Anh", "Mei", "Priya", "Anna"),
    *("Aminata", "Awa", "Mariama", "Naïma", "Océane", "Éléonore", "Zélie", "Maud", "Élise"),
    *("Marie-Lou", "Anne-Sophie", "Mariam", "Elif", "Zeynep", "Ioana", "Ève", "Cœur-Aimée"),
)

BOYS = (
    *("Gabriel", "Léo", "Raphaël", "Louis", "Arthur", "Jules", "Adam", "Hugo", "Lucas", "Noé"),
    *("Théo", "Timéo", "Mathéo", "Clément", "François", "Loïc", "Gaël", "Maël", "Éloi", "Rémi"),
    *("Mohamed", "Yanis", "Rayan", "Bilal", "Ismaël", "Amine", "Younès", "Ilyès", "Sofiane"),
    *("Ibrahima", "Moussa", "Mamadou", "Ousmane", "João", "Tiago", "Matteo", "Lorenzo", "Ángel"),
    *("Minh", "Tuan", "Wei", "Arjun", "Aram", "Tigran", "Emre", "Mert", "Andrei", "Jakub"),
    *("Jean-Baptiste", "Pierre-Louis", "Marc-Antoine", "Anthony", "Côme", "Zacharie", "Aloïs"),
)

STREETS = (
    *("rue des Oliviers", "avenue du Parc", "boulevard des Alpilles", "impasse des Pins"),
    *("chemin de la Source", "allée des Tilleuls", "traverse du Moulin", "place de l'Église"),
    *("rue du Vieux-Cœur", "montée des Accoules inventées", "cours de la Liberté"),
)

TOWNS = (
    *(("13010", "MARSEILLE"), ("13011", "MARSEILLE"), ("13400", "AUBAGNE"), ("13190", "ALLAUCH")),
    *(("04000", "DIGNE-LES-BAINS"), ("05000", "GAP"), ("06000", "NICE"), ("83000", "TOULON")),
)

SUBJECTS = (
    *("Mathématiques", "Lettres modernes", "Histoire-géographie", "Anglais", "Espagnol"),
    *("Physique-chimie", "SVT", "SES", "Philosophie", "EPS", "NSI", "Arts plastiques"),
    *("Économie-gestion", "Italien", "Allemand", "Documentation"),
)

"""What the terminal says in French, a line a text: `key|text`; read by `firmware.ui.texts`."""

TABLE = """
ok|OK
back|Retour
clear|Effacer
stop|Arrêter
later|Après
yes|Oui
print|Imprimer
show|Voir
done|Fini
out|Quitter
try|Réessayer
copy|Copie
online|Réseau
searching|Recherche
offline|Hors ligne
starting|Démarrage
your_pin|Votre code, puis #
wrong_pin|Code incorrect
tries_left|Ce code est faux. Essais avant une pause : {}
locked|Patientez
locked_for|Trop de codes faux. Réessayez dans {} s.
menu|Menu
m_sell|Vendre du crédit
m_topup|Recharger un numéro
m_meter|Électricité
m_bill|Payer une facture
again|Encore
which_operator|Quel opérateur ?
to_topup|Numéro
to_meter|Compteur
to_bill|Référence
number|Numéro
type_topup|Tapez le numéro, puis #
type_meter|Numéro du compteur, puis #
type_bill|Tapez la référence, puis #
once_more|Encore une fois
type_again|Retapez le même numéro
not_the_same|Les deux diffèrent. Demandez au client et recommencez.
check_it|À revoir
bad_length|Il faut {} chiffres. Comptez-les avec le client.
bad_start|Les numéros de cet opérateur commencent par {}
bad_meter|Un chiffre est faux : ce n'est pas un compteur. Relisez.
favourite|Favori
favourites|Favoris
all|Tout
fav_on|{} : touche {} des favoris.
fav_off|{} : n'est plus un favori.
fav_full|Neuf au plus. Retirez-en un d'abord, sur sa page.
of_another|Ce numéro semble être de {}, pas de {}. Vendre ?
is_it|Est-ce bien lui ?
amount|Montant
at_least|Minimum
at_most|Maximum
in_steps_of|Par pas de
in_stock|En stock
still|Reste
only_online|Se vend avec réseau seulement. Rien n'a été vendu.
wait_name|Recherche du client
no_name|Client inconnu pour l'instant. Rien n'a été vendu.
pending|Pas encore décidé
pending_t|La vente {} est partie. Ne la refaites pas : elle est redemandée.
key_first|Tapez D'ABORD les codes de clé ({}), dans cet ordre :
key_n|Code de clé {} sur {}
then_token|ENSUITE le code de crédit :
token_n|Code {} sur {}
d_customer|Client
d_units_kwh|Unités kWh
d_tariff|Tarif
d_tax|Taxe
d_arrears|Arriérés
d_fixed_charge|Frais fixes
d_free_units|Unités gratuites kWh
d_other|{}
m_reprint|Réimprimer
m_sales|Dernières ventes
wait_sales|Lecture de la mémoire des ventes
ask|Demander
state|État
sale_no|Numéro de la vente, puis #
not_among|La vente {} n'est pas parmi les 20 dernières de ce terminal.
st_out|imprimé
st_doubt|en doute
st_ready|à imprimer
st_waits|attend
st_refused|refusé
st_back|repris
st_unread|illisible
st_doubt_t|Le reçu est peut-être sorti. Sinon, imprimez une copie.
st_waits_t|Demandez : c'est la même vente, jamais une seconde.
st_back_t|Elle n'a pas été vendue. Le solde a été rendu.
m_day|Rapports, service
m_float|Solde
m_messages|Messages
m_language|Langue
m_info|Ce terminal
waiting|Ventes à finir : {}. Tapez votre code.
m_unfinished|Vente en attente
float|Solde
commission|Commission
sell_what|Quel produit ?
sell_q|Vendre {} ?
float_now|Solde actuel
float_after|Solde après
checking|Test imprimante
wait_printer|Vérification du papier
no_paper|Plus de papier
paper_out|Mettez un rouleau et fermez le capot. Rien n'a été vendu.
cover_open|Fermez le capot de l'imprimante. Rien n'a été vendu.
printer_bad|Imprimante
weak|Batterie faible
weak_t|Chargez-la : un reçu s'arrêterait à moitié. Rien n'a été vendu.
error|Panne de l'imprimante. Éteignez, rallumez. Rien n'a été vendu.
selling|Vente
wait_network|Recherche du réseau
wait_office|Question au bureau
wait_server|Question au serveur
wait_print|Impression du reçu
wait_report|Impression du rapport
no_network|Pas de réseau
n_no_sim|Pas de carte SIM
n_sim_locked|SIM verrouillée
n_denied|SIM refusée
n_no_gprs|Pas de données
n_no_modem|Panne du modem
stock_q|Vendre depuis le stock du terminal ? Reste : {}
sms|SMS
sms_q|Pas de données. Demander par SMS ? Un SMS est facturé.
wait_sms|Demandé par SMS. Cela peut prendre une minute.
no_answer|Pas de réponse
no_answer_t|La vente {} est gardée. Redemandez, ou plus tard au menu.
sold|Vendu
sold_t|Donnez le reçu au client.
sold_unsure|Vérifiez le reçu. S'il manque, imprimez une copie.
not_sold|Non vendu
not_printed|Non imprimé
np_paper_out|Plus de papier. Mettez un rouleau et réimprimez.
np_cover_open|Capot ouvert. Fermez-le et réimprimez.
np_error|L'imprimante s'arrête. Rallumez-la et réimprimez.
pin_is|Code
show_pin_q|Afficher le code ? Recopiez-le pour le client.
cut|Vente coupée
cut_print|Vente {}, {} : le client a-t-il le reçu ? Sinon, imprimez un DUPLICATA.
cut_ask|Vente {}, {} : sans réponse du serveur. Demander ?
no_last|Aucune vente à réimprimer.
last_q|Réimprimer la vente {}, marquée DUPLICATA ? {}
no_messages|Aucun message.
sales|Ventes
total|Total
unsynced|Non envoyées
reprints|Copies
release|Version
slot|Côté
terminal|Terminal
signal|Signal
battery|Batterie
time|Heure
on_trial|à l'essai
e_no_float|Solde trop bas. Rechargez-le, puis vendez.
e_offline_amount|Trop cher hors ligne. Prenez plus petit ou attendez.
e_offline_count|Limite de ventes hors ligne atteinte. Attendez le réseau.
e_offline_total|Montant maximal hors ligne atteint. Attendez le réseau.
e_offline_age|Trop longtemps sans réseau. Allez où il y a du signal.
e_no_stock|Plus de bon de ce type. Prenez un autre ou attendez.
e_unknown_product|Ce produit n'est plus vendu. Prenez-en un autre.
e_journal_full|Mémoire des ventes pleine. Attendez le réseau.
e_pending_sale|Finissez d'abord la vente en attente : voir menu.
e_spoiled|Bon illisible. Rien n'est débité. Vendez-en un autre.
e_unreadable|Bon illisible à présent. Trouvez le réseau, puis imprimez.
e_conflict|Le serveur a une autre vente sous ce numéro. Appelez votre agent.
e_price_changed|Prix ou commission ont changé. Regardez ou réessayez.
e_no_vouchers|L'opérateur n'a plus de bons. Essayez plus tard.
e_bad_recipient|Ce numéro est inconnu. Demandez au client et retapez-le.
e_supplier_refused|Le fournisseur refuse cette vente. Rien n'est débité.
e_supplier_down|Fournisseur injoignable. Rien n'est débité. Essayez plus tard.
e_restoring|Le bureau est en cours de restauration. Vendez du stock ou réessayez.
e_blocked|Ce terminal est bloqué. Appelez votre agent.
e_other|Refusé par le serveur ({}). Appelez votre agent.
service|Maintenance
s_config|Réglages absents ou abîmés. Portez ce terminal au technicien.
s_catalogue|Tarif absent ou abîmé. Il revient avec le réseau.
s_journal|Mémoire des ventes illisible. Ne vendez pas. Technicien !
r_duplicate|DUPLICATA
r_copy|Copie
r_serial|Série
r_tax|N° fiscal
r_vat|dont TVA {}%
r_dial|Composez
r_help|Aide
r_valid|Valable au
r_sale|Vente
r_thanks|Merci
r_day|RAPPORT DU JOUR
r_offline|vendu du stock
m_pin|Mon code
m_people|Équipe
owner|Patron
cashier|Caissier
technician|Technicien
add|Ajouter
name|Nom
rename|Autre nom
remove|Retirer
pin_give|Nouveau code
pin_old|Votre code actuel
pin_new|Nouveau code : {} à {} chiffres
pin_again|Encore le nouveau code
pin_short|Ce code est trop court. Rien n'a changé.
pin_easy|Un voleur essaie ce code d'abord. Prenez-en un autre.
pin_differs|Les deux codes diffèrent. Rien n'a changé.
pin_kept|Le nouveau code vaut dès maintenant.
not_kept|Mémoire pleine. Rien n'a changé. Technicien !
remove_q|Retirer {} ? Ses ventes gardent son nom.
people_kept|Gardé dans ce terminal.
spell|Même touche : autre lettre
spell_on|B : lettre suivante
cancel|Annuler
cancel_q|Annuler la vente {} ? Seulement si le client n'en a rien. Le bureau décide.
cancel_kept|Vente {} : le bureau est redemandé. N'en vendez rien.
cancel_no|Le bureau refuse. Remettez-la au client.
e_cancelled|Cette vente est annulée. Rien n'est débité.
r_cancelled|VENTE ANNULÉE
m_shift|Service
m_z|Rapport Z
rp_today|Aujourd'hui
rp_yesterday|Hier
rp_week|Cette semaine
rp_x|X : depuis le Z
shift_open|Ouvrir un service
shift_close|Fin du service
shift_is_open|Le service est ouvert. Fermez-le ici en partant.
cash_now|Argent en caisse maintenant
cash_count|Comptez l'argent en caisse
cash_start|Au début
cash_expected|Attendu
cash_counted|Compté
difference|Écart
make|Faire
z_make|Faire le Z suivant
z_copy|Copie d'un Z
z_number|Numéro du rapport Z
z_none|Le rapport Z {} n'est pas dans ce terminal.
r_x|RAPPORT X
r_z|RAPPORT Z {}
r_week|RAPPORT DE LA SEMAINE
r_shift|SERVICE FERMÉ
r_records|Écritures
r_digest|Empreinte
deposit|Dépôt
paid_out|Retrait
float_then|Solde après
s_stolen|Terminal déclaré volé. Il ne vend rien. Si vous l'avez, appelez:
s_wiped|Trop longtemps sans le bureau: le stock a été effacé. Trouvez le réseau.
no|Non
m_set|Son, écran
snd|Son
snd_all|Touches, résultats
snd_results|Résultats seuls
snd_off|Silence
contrast|Contraste
contrast_t|A plus, B moins. # garde.
m_service|Service technique
versions|Versions
self_test|Autotest
sim_network|SIM, réseau
not_tested|Non testé
hardware|Matériel
bootloader|Amorçage
prices|Tarifs
settings|Réglages
channel|Canal
server|Serveur
memory|Mémoire
program|Programme
keys|Touches
display|Écran
clock|Horloge
sim|Carte SIM
modem|Modem
faulty|DÉFAUT
press_all|Chaque touche une fois. Reste : {}
lcd_watch|Tous les points s'allument 3 s. Cherchez les trous.
lcd_q|Tous étaient allumés ?
t_battery|{} mV : chargez, ou changez la pile.
t_clock|Elle est arrêtée ou fausse : changez sa pile, puis la carte.
t_memory|Ce qui est écrit ne se relit pas : changez la carte.
t_program|Il est abîmé : chargez-le encore par câble.
t_keys|Pas de réponse de : {}
t_lcd|Il manque des points : changez l'écran.
t_mute|Pas de réponse : voyez câble et alimentation.
operator|Opérateur
registered|Enregistré
rg_none|non
rg_home|nominal
rg_search|recherche
rg_denied|refusé
rg_roam|itinérance
cell|Cellule
address|Adresse IP
wait_modem|Question au modem
r_service|FICHE TECHNIQUE
m_training|Formation
tr_q|Vente pour apprendre. Rien n'est vendu ni envoyé. Finit ici ou hors tension.
tr_end|Fin
tr_mark|FORMATION - PAS VENDU
tr_paper|FORMATION : SANS VALEUR
tr_name|Un client
tr_done|Déchirez le ticket : sans valeur.
shift_copy|Copie d'un service
no_shifts|Aucun service fermé dans ce terminal.
closed|Fermé
"""
